import { Slots } from './slots.js';

/** Runs jobs, `limit` at a time. What became of each, in their order: { value } or { error }. */
export async function runAll(jobs, limit) {
  const slots = new Slots(limit);
  const settled = await Promise.allSettled(jobs.map((job) => slots.use(job)));
  return settled.map(({ status, value, reason }) =>
    status === 'fulfilled' ? { value } : { error: reason },
  );
}
