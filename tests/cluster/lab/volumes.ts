// Disks for pods: each node lends some of its folders, which stay when it is restarted.
import type { Cell } from './cell.ts'

const perNode = 4
const folderOf = (index: number): string => `/var/lib/volumes/${index}`

/** A volume of this class is bound when its pod has a node, as a cloud's would be. */
export const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: {
    name: 'node',
    annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
  },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
}

export async function makeVolumeFolders(cell: Cell): Promise<void> {
  await cell.run('mkdir', ['-p', ...indexes.map(folderOf)])
}

export function volumesOf(node: string): object[] {
  return indexes.map((index) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${node}-${index}` },
    spec: {
      storageClassName: storageClass.metadata.name,
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path: folderOf(index) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }],
            },
          ],
        },
      },
    },
  }))
}

const indexes = Array.from({ length: perNode }, (_, index) => index)
