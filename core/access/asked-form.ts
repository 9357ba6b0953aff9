import { proofParameter } from './exchange-request.ts'
import { parseForm } from './form.ts'
import { readAskedProof, type Asked } from './request.ts'

/** As much of an exchange as can be read of one that was refused: nothing of its token. Never throws. */
export function readAskedForm(form: Uint8Array): Asked {
  try {
    return readAskedProof(parseForm(form).get(proofParameter)?.[0])
  } catch {
    return {}
  }
}
