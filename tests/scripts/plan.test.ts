// Edits of a network that does not run: only its trust can change.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import type { Plan } from '../../core/plan/plan.ts'
import { openControl } from '../../laptop/control/open-control.ts'
import { startNetwork } from '../../laptop/network.ts'
import { edited, good } from '../core/archipelago/example.ts'
import { runScript } from '../run-script.ts'
import { snapshot } from '../store/home.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const sgp1 = '  sgp1:\n    addresses: [sgp1.nats.archipelago.example]\n'

function makePlace(t: ExecutionContext) {
  const folder = temporaryFolder(t)
  const [file, data] = [join(folder, 'archipelago.yaml'), join(folder, 'data')]
  const place = ['--archipelago', file, '--data-dir', data]
  writeFileSync(file, good)
  return {
    ...{ file, data },
    edit: (text: string) => writeFileSync(file, text),
    plan: (...options: string[]) => runScript('plan', [...place, ...options]),
    apply: (...options: string[]) => runScript('apply', [...place, ...options]),
  }
}

test('a plan writes nothing and says so by its exit code', async (t) => {
  const { data, plan, apply } = makePlace(t)
  const { code, stdout } = await plan()
  t.is(code, 2)
  t.regex(
    stdout,
    /^resign {6}account SYS, account ACCESS, account LOBBY, account KUBECON: is new\n/,
  )
  t.regex(stdout, /\n4 re-signed, 1 at the next start\n$/)
  t.is((await apply('--dry-run')).stdout, stdout)
  t.false(existsSync(data))
})

test('an apply writes the trust; the rest waits for the next start', async (t) => {
  const { data, edit, plan, apply } = makePlace(t)
  t.is((await apply()).code, 0)
  t.like(await plan(), { code: 0, stdout: 'nothing to do\n' })
  edit(edited('connectionsMax: 1000\n', 'connectionsMax: 900\n'))
  const before = snapshot(join(data, 'operator'))
  const { stdout } = await plan()
  t.is(
    stdout,
    'next-start  the network: does not run: its processes take all of it at the next npm start\n\n1 at the next start\n',
  )
  t.is((await apply()).code, 0)
  t.deepEqual([...snapshot(join(data, 'operator')).keys()], [...before.keys()])
  t.is((await plan()).code, 0)
})

test('without a terminal to ask on, what is withdrawn needs a yes', async (t) => {
  const { data, file, edit, plan, apply } = makePlace(t)
  await apply()
  edit(edited(sgp1, ''))
  const { lines }: Plan = JSON.parse((await plan('--json')).stdout)
  t.deepEqual(
    lines.filter(({ asks }) => asks).flatMap(({ subjects }) => subjects),
    ['leafnode.sgp1', 'member.lobby.sgp1', 'moderator.invite.sgp1'],
  )
  const before = snapshot(data)
  const refused = await apply()
  t.is(refused.code, 1)
  t.is(
    refused.stderr,
    'apply: nobody agreed to what the plan withdraws\ndo: look at npx node scripts/plan.ts, then agree with npx node scripts/apply.ts --yes\n',
  )
  // A start would withdraw it as well.
  const archipelago = parseArchipelago(readFileSync(file, 'utf8'), file)
  await t.throwsAsync(startNetwork({ archipelago, data, natsServer: 'nats-server' }), {
    code: 'ERR_PLAN_ASKS',
    message: 'nobody agreed to withdraw leafnode.sgp1, member.lobby.sgp1, moderator.invite.sgp1',
  })
  const trust = (paths: ReadonlyMap<string, string>) =>
    [...paths].filter(([path]) => !/^(run|operator$|public$)/.test(path))
  t.deepEqual(trust(snapshot(data)), trust(before))
  t.is((await apply('--yes')).code, 0)
  t.is((await plan()).code, 0)
  t.false(existsSync(join(data, 'sgp1/functions/lobby/signing/member.nk')))
})

test('a region that comes back has other keys', async (t) => {
  const { data, edit, apply } = makePlace(t)
  const keys = () => readFileSync(join(data, 'public/regions/sgp1.json'), 'utf8')
  await apply()
  const before = keys()
  edit(edited(sgp1, ''))
  await apply('--yes')
  edit(good)
  t.is((await apply()).code, 0)
  t.not(keys(), before)
})

test('while another process changes the trust it is left alone', async (t) => {
  const { data, apply } = makePlace(t)
  await using _control = await openControl(join(data, 'run'))
  const { code, stderr } = await apply()
  t.is(code, 1)
  t.regex(stderr, /^apply: the network is being started or changed right now\ndo: /)
})
