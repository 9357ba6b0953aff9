// A region's side of an authority, one step further: a request with a new key, or what was signed for it.
import type { KeyObject } from 'node:crypto'
import { resolve } from 'node:path'
import type { AuthorityPlace } from '../core/identity/authority.ts'
import { formatCertificates, type Certificate } from '../core/identity/certificate.ts'
import { keySha256, readCsr } from '../core/identity/csr.ts'
import { intermediateFiles, readIntermediates } from '../store/authority-files.ts'
import { readOrRefuse } from '../store/files.ts'
import {
  adoptIntermediate,
  readIntermediate,
  readWaiting,
  requestIntermediate,
} from '../store/intermediate.ts'
import type { AuthorityStore } from '../store/root.ts'
import { describeCertificate } from './authority-options.ts'

export interface AuthorityStep {
  readonly state: 'in use' | 'adopted' | 'requested'
  readonly request?: string
  /** Of the request, by which who signs knows that it is this one. */
  readonly keySha256?: string
  readonly sha256?: string
  readonly notAfter?: string
}

interface Wish {
  /** What was signed, where it is not in the public folder yet. */
  readonly file?: string | undefined
  readonly isReplaced?: boolean | undefined
}

/** Refuses what was signed for another key, or with other limits. */
export function advanceAuthority(
  store: AuthorityStore,
  place: AuthorityPlace,
  { file, isReplaced = false }: Wish,
): AuthorityStep {
  if (file !== undefined) {
    const pem = readOrRefuse(resolve(file), 'certificate')
    return { state: 'adopted', ...describeCertificate(adoptIntermediate(store, place, pem)) }
  }
  const known = readIntermediate(store, place)
  const isWanted = isReplaced || readWaiting(store, place) !== undefined
  if (known !== undefined && !isWanted)
    return { state: 'in use', ...describeCertificate(known.certificate) }
  const key = readCsr(requestIntermediate(store, place))
  const signed = findSigned(store, place, key)
  if (signed === undefined) {
    const { request } = intermediateFiles(store.homes, place, 'next')
    return { state: 'requested', request, keySha256: keySha256(key) }
  }
  const adopted = adoptIntermediate(store, place, formatCertificates([signed]))
  return { state: 'adopted', ...describeCertificate(adopted) }
}

function findSigned(
  { files, homes }: AuthorityStore,
  place: AuthorityPlace,
  key: KeyObject,
): Certificate | undefined {
  return readIntermediates(files, homes, place).find(({ openssl }) => openssl.publicKey.equals(key))
}
