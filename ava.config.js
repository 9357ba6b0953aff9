// Real servers share two cores: a few files at a time, and a deadline for a hang, not for speed.
export default {
  extensions: ['ts'],
  files: ['tests/**/*.test.ts'],
  concurrency: 2,
  timeout: '120s',
}
