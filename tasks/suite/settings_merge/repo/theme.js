import { isPlain, merge } from './merge.js';

export const DEFAULTS = {
  title: 'Untitled',
  colours: { text: '#222222', background: '#ffffff' },
  fonts: ['Source Sans', 'sans-serif'],
  banner: { image: 'banner.png', height: 120 },
};

/** The settings of a theme from its JSON. */
export function readTheme(json) {
  const settings = JSON.parse(json);
  if (!isPlain(settings)) throw new TypeError('the settings are no object');
  return merge(DEFAULTS, settings);
}
