// Answers at once, so that what is left is the service loop, the server and whoever asks.
import { serveVariant } from './serve-variant.ts'

const body = JSON.stringify({ sealed: 'x'.repeat(1_000) })

void serveVariant(() => () => ({ isGranted: true, body }))
