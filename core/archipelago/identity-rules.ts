// The rules between issuers, regions and the roles that workloads come to.
import * as z from 'zod'
import { identityEntrySchema, issuerSchema } from './identity-schema.ts'
import { type Problem, show } from './problem.ts'
import { at, mapOf, rule } from './rule.ts'
import { isTrustDomainId } from './workload-id.ts'

const issuers = mapOf(issuerSchema).default({})
const identity = z.array(identityEntrySchema).default([])
const doors = z.array(z.unknown()).default([])
const roles = mapOf(z.object({ identity, doors, outside: z.boolean().default(false) }))

/** The door without entries lets nobody in; entries without the door say what does not hold. */
const identityHasDoor = rule(z.object({ roles }), ({ roles }) =>
  Object.entries(roles).flatMap(([name, { identity, doors }]) => {
    const hasDoor = doors.includes('identity')
    if (hasDoor === identity.length > 0) return []
    const path = ['roles', name, hasDoor ? 'doors' : 'identity']
    const missing = hasDoor ? 'needs an identity' : 'needs the door identity'
    return [at(path, `role ${name} ${missing}`)]
  }),
)

const issuersFitTheirKind = rule(z.object({ issuers }), ({ issuers }) =>
  Object.entries(issuers).flatMap(([name, { kind, issuer }]) => {
    const isFit = kind === 'jwt-svid' ? isTrustDomainId(issuer) : /^https:\/\/[^/?#]/.test(issuer)
    const form = kind === 'jwt-svid' ? 'spiffe://<trust domain>' : 'an https URL'
    return isFit ? [] : [at(['issuers', name, 'issuer'], `must be ${form}: ${show(issuer)}`)]
  }),
)

const issuersAreInRegions = rule(
  z.object({ issuers, regions: mapOf(z.unknown()) }),
  ({ issuers, regions }) =>
    Object.entries(issuers).flatMap(([name, { regions: own = [] }]) =>
      own.flatMap((region, index) =>
        Object.hasOwn(regions, region)
          ? []
          : [at(['issuers', name, 'regions', index], `unknown region: ${show(region)}`)],
      ),
    ),
)

/** By `iss` a function finds the keys: two sets of them would be each other's forgers. */
const issuersDiffer = rule(
  z.object({ issuers, regions: mapOf(z.unknown()) }),
  ({ issuers, regions }) => {
    const first = new Map<string, string>()
    return Object.entries(issuers).flatMap(([name, { issuer, regions: own }]) => {
      const places = (own ?? Object.keys(regions)).map((region) => `${region} ${issuer}`)
      const other = places.map((place) => first.get(place)).find((each) => each !== undefined)
      for (const place of places) first.set(place, first.get(place) ?? name)
      const rule = `also the issuer ${other} of the same region: ${show(issuer)}`
      return other === undefined ? [] : [at(['issuers', name, 'issuer'], rule)]
    })
  },
)

const entriesNameIssuers = rule(z.object({ issuers, roles }), ({ issuers, roles }) =>
  everyEntry(roles).flatMap(({ path, issuer = '', subject = '', spiffeId }) => {
    if (spiffeId !== undefined) return []
    const known = Object.hasOwn(issuers, issuer) ? issuers[issuer] : undefined
    if (known === undefined) return [at([...path, 'issuer'], `unknown issuer: ${show(issuer)}`)]
    if (known.kind === 'jwt-svid')
      return [at([...path, 'issuer'], `issuer ${issuer} is of kind jwt-svid: name a spiffeId`)]
    if (known.kind !== 'kubernetes' || serviceAccount.test(subject)) return []
    const rule = 'must be system:serviceaccount:<namespace>:<name>'
    return [at([...path, 'subject'], `${rule}: ${show(subject)}`)]
  }),
)

const serviceAccount =
  /^system:serviceaccount:[a-z0-9]([a-z0-9-]*[a-z0-9])?:[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/

/** What a token becomes is not for its holder to choose. */
const identitiesHaveOneRole = rule(z.object({ roles }), ({ roles }) => {
  const first = new Map<string, string>()
  return everyEntry(roles).flatMap(({ path, issuer, subject, spiffeId }) => {
    const key = spiffeId ?? `${issuer}|${subject}`
    const known = first.get(key)
    first.set(key, known ?? String(path[1]))
    if (known === undefined) return []
    const field = spiffeId === undefined ? 'subject' : 'spiffeId'
    return [at([...path, field], `already of role ${known}: ${show(spiffeId ?? subject)}`)]
  })
})

/** Who can have a certificate of the network is to show it when he connects. */
const outsidersHaveNoCertificate = rule(
  z.object({ roles, trustDomain: z.string() }),
  ({ roles, trustDomain }) =>
    everyEntry(roles).flatMap(({ path, spiffeId = '' }) => {
      const isOutside = roles[String(path[1])]?.outside === true
      const [, , domain = ''] = spiffeId.split('/')
      if (!isOutside || !domain.endsWith(`.${trustDomain}`)) return []
      return [at([...path, 'spiffeId'], `not outside of this network: ${show(spiffeId)}`)]
    }),
)

const outsideHasDoor = rule(z.object({ roles }), ({ roles }) =>
  Object.entries(roles).flatMap(([name, { outside, doors }]) =>
    outside && !doors.includes('identity')
      ? [at(['roles', name, 'outside'], `role ${name} needs the door identity`)]
      : [],
  ),
)

export const identityRules = [
  identityHasDoor,
  outsideHasDoor,
  outsidersHaveNoCertificate,
  issuersFitTheirKind,
  issuersAreInRegions,
  issuersDiffer,
  entriesNameIssuers,
  identitiesHaveOneRole,
] satisfies ((source: unknown) => Problem[])[]

function everyEntry(all: z.output<typeof roles>) {
  return Object.entries(all).flatMap(([role, { identity }]) =>
    identity.map((entry, index) => ({ ...entry, path: ['roles', role, 'identity', index] })),
  )
}
