import { Refusal } from './errors.ts'
import { quote } from './quote.ts'

const secondsOf = { s: 1, m: 60, h: 3600, d: 86_400 } as const
type Unit = keyof typeof secondsOf

export const durationPattern = /^[1-9][0-9]{0,8}[smhd]$/

/** `30s`, `15m`, `24h` or `7d` to whole seconds; refuses zero, fractions, spaces and sums of units. */
export function parseDuration(text: string): number {
  if (!durationPattern.test(text)) {
    throw new Refusal('ERR_DURATION_ILLEGAL', `illegal duration: ${quote(text)}`)
  }
  return Number(text.slice(0, -1)) * secondsOf[text.slice(-1) as Unit]
}

/** The shortest text in the largest unit that gives these seconds exactly: 3600 is `1h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isSafeInteger(seconds) || seconds < 1) throw new RangeError('seconds: whole, from 1')
  const unit = (['d', 'h', 'm'] as const).find((unit) => seconds % secondsOf[unit] === 0) ?? 's'
  return `${seconds / secondsOf[unit]}${unit}`
}
