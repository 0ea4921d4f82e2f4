/** Makes JSON values of lines that arrive in chunks. */
export class LineDecoder {
  /** The values of all lines that are complete now. */
  push(chunk) {
    const lines = chunk.toString('utf8').trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line));
  }
}
