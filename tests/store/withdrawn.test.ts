import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import { authorityKinds } from '../../core/identity/authority.ts'
import { intermediatesFile } from '../../store/authority-files.ts'
import { writePrivate } from '../../store/files.ts'
import { deleteWithdrawnKeys } from '../../store/withdrawn.ts'
import { edited, file } from '../core/archipelago/example.ts'
import { archipelago } from '../core/trust/example.ts'
import { makeHomes, snapshot } from './home.ts'

const without = (passage: string, by = '') => parseArchipelago(edited(passage, by), file)

test('keys that are published stay', (t) => {
  const { data, homes, bootstrap } = makeHomes(t)
  bootstrap()
  const before = snapshot(data)
  t.deepEqual(deleteWithdrawnKeys(homes, archipelago), [])
  t.deepEqual(snapshot(data), before)
})

test('with a role go its keys, also those of a rotation that did not end', (t) => {
  const { data, homes, bootstrap } = makeHomes(t)
  bootstrap()
  const signing = join(data, 'ams3/functions/invite/signing')
  for (const stage of ['next', 'previous'])
    writeFileSync(join(signing, `moderator.${stage}.nk`), '')
  writeFileSync(join(signing, 'moderators.nk'), 'of a role with a longer name')
  const deleted = deleteWithdrawnKeys(homes, without('doors: [invite]', 'doors: []'))
  t.is(deleted.length, 6)
  t.false(existsSync(join(signing, 'moderator.nk')))
  t.false(existsSync(join(signing, 'moderator.next.nk')))
  t.true(existsSync(join(data, 'ams3/functions/lobby/signing/member.nk')))
})

test('with a region go all its keys and what is published of them; its audit lines stay', (t) => {
  const { data, homes, bootstrap } = makeHomes(t)
  bootstrap()
  const audit = join(data, 'sgp1/functions/lobby/audit.log')
  writeFileSync(audit, '{}\n')
  for (const kind of authorityKinds)
    writePrivate(intermediatesFile(homes.public, kind, 'sgp1'), 'certificates')
  const others = () => [...snapshot(data)].filter(([path]) => !path.includes('sgp1'))
  const before = others()
  const sgp1 = '  sgp1:\n    addresses: [sgp1.nats.archipelago.example]\n'
  deleteWithdrawnKeys(homes, without(sgp1))
  const left = [...snapshot(data).keys()].filter((path) => path.includes('sgp1'))
  t.deepEqual(
    left.filter((path) => /\.[a-z]+$/.test(path)),
    ['sgp1/functions/lobby/audit.log'],
  )
  t.deepEqual(
    others().map(([path]) => path),
    before.map(([path]) => path),
  )
})
