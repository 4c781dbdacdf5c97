import { readFile, stat, statfs } from "node:fs/promises";

/*
 * SQLite's locks and shared memory do not work on network file systems (sqlite.org/howtocorrupt.html, section
 * 2.1). Only Linux is checked: the numbers of `statfs` mean something else on other systems.
 */

/** Source: linux/magic.h and the file systems' own headers. */
const NETWORK_MAGIC: ReadonlyMap<number, string> = new Map([
  [0x6969, "nfs"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x517b, "smb"],
  [0x01021997, "9p"],
  [0x5346414f, "afs"],
  [0x6b414653, "afs"],
  [0x73757245, "coda"],
  [0x564c, "ncp"],
  [0x00c36400, "ceph"],
  [0x0bd00bd0, "lustre"],
  [0x19830326, "beegfs"],
  [0x20030528, "orangefs"],
]);
const FUSE_MAGIC = 0x65735546;
/** FUSE also serves local disks (ntfs-3g) and container volumes, so the name decides. */
const NETWORK_FUSE =
  /^fuse\.(sshfs|rclone|s3fs|s3ql|goofys|gcsfuse|blobfuse2?|mount-s3|juicefs|seaweedfs|glusterfs|ceph-fuse|cephfs|davfs2?|curlftpfs|smbnetfs|nfs|moosefs|mfs|gvfsd-fuse|google-drive-ocamlfuse|onedriver)$/;

/** Name of the network file system that holds `folder`, or null. */
export async function networkFileSystem(folder: string): Promise<string | null> {
  if (process.platform !== "linux") return null;
  const { type } = await statfs(folder);
  const mounts = type === FUSE_MAGIC ? await readFile("/proc/self/mountinfo", "utf8").catch(() => "") : "";
  const { dev } = await stat(folder, { bigint: true });
  return networkNameOf(type, mounts, dev);
}

/**
 * @param magic   `f_type` of statfs(2).
 * @param mounts  /proc/self/mountinfo, only needed for FUSE.
 * @param device  `st_dev`.
 */
export function networkNameOf(magic: number, mounts: string, device: bigint): string | null {
  // `f_type` is signed on some machines.
  const unsigned = magic >>> 0;
  if (unsigned !== FUSE_MAGIC) return NETWORK_MAGIC.get(unsigned) ?? null;
  const name = mountedType(mounts, device);
  return name !== null && NETWORK_FUSE.test(name) ? name : null;
}

/** Source: proc_pid_mountinfo(5), with major and minor as glibc packs them into `st_dev`. */
function mountedType(mounts: string, device: bigint): string | null {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn);
  for (const line of mounts.split("\n")) {
    const fields = line.split(" ");
    if (fields[2] === `${major}:${minor}`) return fields[fields.indexOf("-") + 1] ?? null;
  }
  return null;
}
