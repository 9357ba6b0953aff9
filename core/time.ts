// Times in what people read.

/** Of Unix milliseconds; a time that no calendar knows stays a number. */
export function formatTime(timeMs: number): string {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? `${timeMs} ms` : date.toISOString()
}

/** Belongs into each refusal of a time: whoever reads it has another clock, and one of them is wrong. */
export const thisClock = (nowMs: number): string => `this clock says ${formatTime(nowMs)}`
