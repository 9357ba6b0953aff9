import { createInterface } from 'node:readline/promises'
import { Refusal } from '../core/errors.ts'
import type { Plan } from '../core/plan/plan.ts'

/** Asks at the terminal about a plan that asks; refuses where there is none, and any answer but yes. */
export async function agreeTo({ asks }: Plan): Promise<void> {
  if (!asks) return
  const refusal = new Refusal('ERR_PLAN_ASKS', 'nobody agreed to what the plan withdraws')
  if (!process.stdin.isTTY) throw refusal
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question('Withdraw it? Only yes is yes: ')
  terminal.close()
  if (answer.trim() !== 'yes') throw refusal
}
