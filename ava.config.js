// Real servers on few cores: a deadline is for a hang, not for speed. Those that take longest begin
// first, for they wait more than they work, and the short ones fill the gaps.
const longest = [
  'scripts/apply',
  'scripts/start',
  'faults/identity-rotation',
  'faults/leafnode-renewal',
  'attacks/watcher',
  'attacks/revocation',
  'attacks/known-urls',
  'nats/renew-soak',
  'laptop/identity/renewal',
  'nats/renew',
  'scripts/move-operator-key',
  'laptop/rollout',
  'scripts/backup-trust',
  'scripts/rotate-signing-key',
  'scripts/bootstrap-trust',
]

function rank(file) {
  const at = longest.findIndex((name) => file.endsWith(`/${name}.test.ts`))
  return at === -1 ? longest.length : at
}

// npm run test:cluster: whole clusters, one test after the other.
const cluster = {
  files: ['tests/cluster/**/*.test.ts'],
  concurrency: 1,
  serial: true,
  timeout: '10m',
}

const fast = {
  files: ['tests/**/*.test.ts', '!tests/cluster/**'],
  concurrency: 4,
  timeout: '3m',
}

export default {
  ...(process.env.ARCHIPELAGO_TESTS === 'cluster' ? cluster : fast),
  extensions: ['ts'],
  sortTestFiles: (one, other) => rank(one) - rank(other) || (one < other ? -1 : 1),
  require: ['./tests/end-of-file.ts'],
  cache: false,
  // What a thread writes and then runs is busy while another thread starts a process.
  workerThreads: false,
}
