// All trust from nothing: operator, accounts, signing keys with their ceilings, users. nsc makes the
// same, a command for each; and what the tutorial makes, which is less.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Archipelago } from '../../core/archipelago.ts'
import { accountNames } from '../../core/trust/declare.ts'
import { findTool } from '../../laptop/tools.ts'
import { bootstrapAll } from '../../store/bootstrap.ts'
import { openFiles } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { readPublicTrust } from '../../store/public.ts'
import { interleave } from '../interleave.ts'
import { nscCommands, tutorialCommands } from '../nsc-commands.ts'
import { claimPlace, makeFolder } from '../place.ts'
import type { Bench, Figure, Row } from '../row.ts'
import { timeProcess } from '../run-process.ts'
import { ratios } from '../statistics.ts'

export const bootstrap: Row = {
  name: 'bootstrap',
  what: 'all trust from nothing',
  measure,
}

const script = fileURLToPath(new URL('../../scripts/bootstrap-trust.ts', import.meta.url))

async function measure(bench: Bench): Promise<Figure[]> {
  using folder = makeFolder()
  const { archipelago, archipelagoFile } = await claimPlace(folder.path)
  const nsc = await findTool('nsc', { report: bench.report })
  let turn = 0
  const fresh = (): string => join(folder.path, String(turn++))
  const all = nscCommands(declaredAccounts(archipelago, fresh()))
  const takes = {
    ours: async () => {
      const data = fresh()
      const options = ['--archipelago', archipelagoFile, '--data-dir', data]
      const tookMs = await timeProcess(process.execPath, [script, ...options])
      requireTrust(archipelago, data)
      return tookMs
    },
    nsc: () => timeNsc(nsc, fresh(), all),
    tutorial: () => timeNsc(nsc, fresh(), tutorialCommands),
    inside: () => timeInside(archipelago, fresh()),
  }
  await interleave(1, takes)
  const { ours, nsc: peer, tutorial, inside } = await interleave(bench.rounds(9), takes)
  return [
    { what: 'scripts/bootstrap-trust.ts', unit: 'ms', samples: ours, target: { atMost: 350 } },
    { what: 'of it, without the start of the program', unit: 'ms', samples: inside },
    {
      what: `nsc, the same in ${all.length} commands, in the same rounds`,
      unit: 'ms',
      samples: peer,
    },
    {
      what: `nsc, the tutorial's in ${tutorialCommands.length} commands, in the same rounds`,
      unit: 'ms',
      samples: tutorial,
    },
    { what: 'times nsc, the same', unit: '×', samples: ratios(ours, peer) },
  ]
}

function timeInside(archipelago: Archipelago, data: string): number {
  const started = performance.now()
  makeTrust(archipelago, data)
  return performance.now() - started
}

async function timeNsc(
  nsc: string,
  data: string,
  commands: readonly (readonly string[])[],
): Promise<number> {
  let tookMs = 0
  for (const command of commands) tookMs += await timeProcess(nsc, ['--all-dirs', data, ...command])
  return tookMs
}

function declaredAccounts(archipelago: Archipelago, data: string) {
  makeTrust(archipelago, data)
  return requireTrust(archipelago, data)
}

function makeTrust(archipelago: Archipelago, data: string): void {
  const nowSeconds = Math.floor(Date.now() / 1_000)
  bootstrapAll({ files: openFiles(), homes: homesOf(data), archipelago, nowSeconds })
}

/** Refuses unless every account is there and leads to the operator. */
function requireTrust(archipelago: Archipelago, data: string) {
  return readPublicTrust(homesOf(data).public, accountNames(archipelago)).accounts
}
