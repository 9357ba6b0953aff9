/** Says a line when it is another one than the last. */
export function reportOnce(report: (line: string) => void): (line: string) => void {
  let last: string | undefined
  return (line) => {
    if (line !== last) report(line)
    last = line
  }
}
