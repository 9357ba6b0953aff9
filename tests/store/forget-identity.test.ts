import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { writePrivate } from '../../store/files.ts'
import { forgetIdentity } from '../../store/forget-identity.ts'
import { homesOf } from '../../store/homes.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const tls = ['tls/ams3-leafnode.key', 'tls/ams3-leafnode.crt']
const leafnode = ['leafnode/user.nk', 'leafnode/leafnode.creds']
const others = ['tls/ams3-0.key', 'leafnode/signing.nk']

for (const isLeafnode of [true, false])
  test(`a process forgets its own keys alone, ${isLeafnode ? 'a' : 'no'} leafnode`, (t) => {
    const homes = homesOf(temporaryFolder(t))
    const path = (name: string) => join(homes.data, 'ams3', name)
    for (const name of [...tls, ...leafnode, ...others]) writePrivate(path(name), name)
    const process = { region: 'ams3', name: 'ams3-leafnode', isLeafnode }
    forgetIdentity(homes, process)
    const left = [...tls, ...leafnode, ...others].filter((name) => existsSync(path(name)))
    t.deepEqual(left, isLeafnode ? others : [...leafnode, ...others])
    t.notThrows(() => forgetIdentity(homes, process))
  })
