import { Refusal } from '../errors.ts'
import type { Plan } from './plan.ts'

/** Refuses a plan that is impossible, and one that asks unless its digest was agreed to. */
export function requireAgreed({ lines, isPossible, asks, digest }: Plan, agreed?: string): void {
  if (!isPossible) {
    const reasons = lines.map(({ subjects, reason }) => `${subjects.join(', ')}: ${reason}`)
    throw new Refusal('ERR_PLAN_IMPOSSIBLE', reasons.join('; '))
  }
  if (agreed !== undefined && agreed !== digest)
    throw new Refusal('ERR_PLAN_CHANGED', 'the plan is another one than was agreed to')
  if (!asks || agreed === digest) return
  const withdrawn = lines.flatMap((line) => (line.asks === true ? line.subjects : []))
  throw new Refusal('ERR_PLAN_ASKS', `nobody agreed to withdraw ${withdrawn.join(', ')}`)
}
