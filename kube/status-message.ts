import type { ApiException } from '@kubernetes/client-node'

const charactersMax = 500

/** What an API server says of a refusal; undefined where something else answered in its place. */
export function statusMessage({ body }: ApiException<unknown>): string | undefined {
  const status = typeof body === 'string' ? tryParse(body) : body
  const { kind, message } = (status ?? {}) as { kind?: unknown; message?: unknown }
  return kind === 'Status' && typeof message === 'string'
    ? message.slice(0, charactersMax)
    : undefined
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
