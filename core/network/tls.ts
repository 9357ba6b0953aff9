import type { Configuration } from './configuration.ts'

/** Where a process finds a certificate, its issuers after it, and its key. */
export interface KeyFiles {
  readonly certificate: string
  readonly key: string
}

/** And the authorities of those whom it admits or dials. */
export interface PeerFiles extends KeyFiles {
  readonly trusted: string
}

// Twelve servers that start at once on two cores finish their handshakes well within this.
export const handshakeSecondsMax = 5

/** The listener shows its certificate and asks the client for none: clients prove an nkey. */
export function clientTls(files: KeyFiles): Configuration {
  return { ...fileEntries(files), timeout: handshakeSecondsMax }
}

/**
 * Both ends show certificates. With pins (sha256 of a certificate's public key, in hexadecimal) only
 * those keys are admitted, whatever else the authority signed.
 */
export function peerTls(files: PeerFiles, pins: readonly string[] | undefined): Configuration {
  return {
    ...fileEntries(files),
    ca_file: files.trusted,
    verify: true,
    ...(pins && { pinned_certs: pins }),
    timeout: handshakeSecondsMax,
  }
}

/** For routes and gateways: without pins a certificate's names are compared with the URLs of the peers. */
export function meshTls(files: PeerFiles, pins: readonly string[] | undefined): Configuration {
  const names = pins === undefined && { verify_cert_and_check_known_urls: true }
  return { ...peerTls(files, pins), ...names }
}

const fileEntries = ({ certificate, key }: KeyFiles) => ({
  cert_file: certificate,
  key_file: key,
  min_version: '1.3',
})
