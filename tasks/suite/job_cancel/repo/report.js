/** Lines about what `runAll` returned. */
export function report(entries) {
  const failed = entries.flatMap(({ error }, index) =>
    error === undefined ? [] : [` - job ${index + 1}: ${error.message}`],
  );
  return [`imported ${entries.length - failed.length} of ${entries.length}`, ...failed];
}
