import { countEffects, type Plan } from './plan.ts'
import type { PlanEffect, PlanLine } from './line.ts'

/** The plan for people: a line for each consequence, and a sum. */
export function formatPlan(plan: Plan): string[] {
  if (plan.lines.length === 0) return ['nothing to do']
  const width = Math.max(...plan.lines.map(({ effect }) => effect.length))
  return [...plan.lines.map((line) => formatLine(line, width)), '', sum(plan)]
}

const ask = ' (asks)'

function formatLine({ effect, subjects, reason, asks }: PlanLine, width: number): string {
  return `${effect.padEnd(width)}  ${subjects.join(', ')}: ${reason}${asks === true ? ask : ''}`
}

const effectNames: Record<PlanEffect, string> = {
  impossible: 'impossible',
  resign: 're-signed',
  disconnect: 'disconnected',
  'next-renewal': 'at the next renewal',
  'next-start': 'at the next start',
  stop: 'stopped',
  start: 'started',
  reload: 'reloaded',
  restart: 'restarted',
}

function sum(plan: Plan): string {
  return countEffects(plan)
    .map(([effect, count]) => `${count} ${effectNames[effect]}`)
    .join(', ')
}
