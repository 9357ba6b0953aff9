// What kube-apiserver writes into a bound service-account token beside its subject
// (kubernetes/kubernetes pkg/serviceaccount/claims.go).
import * as z from 'zod'
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'

const name = z.string().min(1).max(253)
const shape = z.object({
  'kubernetes.io': z.object({ namespace: name, serviceaccount: z.object({ name, uid: name }) }),
})

/** Refuses a token whose own claims name another service account than its subject does, or none. */
export function requireServiceAccount(
  claims: Readonly<Record<string, unknown>>,
  subject: string,
): void {
  const { data } = shape.safeParse(claims)
  if (data === undefined) throw refusal('no kubernetes.io claims of a bound service account')
  const { namespace, serviceaccount } = data['kubernetes.io']
  const own = `system:serviceaccount:${namespace}:${serviceaccount.name}`
  if (own !== subject)
    throw refusal(`its claims are of ${quote(own)}, its subject ${quote(subject)}`)
}

const refusal = (what: string) => new Refusal('ERR_TOKEN_NAMESPACE', `token refused: ${what}`)
