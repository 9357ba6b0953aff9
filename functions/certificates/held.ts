// The certificate that a process shows at the moment.
import type { KeyAndCertificate } from '../../core/identity/successor.ts'
import { readOrRefuse } from '../../store/files.ts'

export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
  /** The authorities of its peers and of itself. */
  readonly trusted: string
}
export interface CertificatePems extends KeyAndCertificate {
  readonly trusted: string
}
export interface HeldCertificate {
  readonly files: CertificateFiles
  /** Whoever shows it asks for it at every handshake that it begins. */
  readonly current: CertificatePems
  replace(pems: CertificatePems): void
}

/** Reads it as it is: that it is good its peers will say. Refuses missing files. */
export function holdCertificate(files: CertificateFiles): HeldCertificate {
  let current = readPems(files)
  return {
    files,
    get current() {
      return current
    },
    replace: (pems) => void (current = pems),
  }
}

/** The key first: it is written first, so what is read after it is not older. */
export function readPems({ certificate, key, trusted }: CertificateFiles): CertificatePems {
  return {
    key: readOrRefuse(key, 'key'),
    certificate: readOrRefuse(certificate, 'certificate'),
    trusted: readOrRefuse(trusted, 'authority'),
  }
}
