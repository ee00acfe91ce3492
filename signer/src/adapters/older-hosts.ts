// Host keys of earlier terms in the signer's key file (RNG-5), `olderHosts`: the process itself takes out what nothing in
// use was dealt to.
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { equal, fromHex, utf8 } from "@causeway/primitives";
import { replaceFile } from "@causeway/primitives/adapters/journal";
import { publicPoint } from "@causeway/primitives/secp256k1";

/**
 * Takes the secret of `point` out of a key file that was read before. The new file is whole on disk before the old one's
 * bytes are overwritten; what the disk keeps of older blocks, or a backup, is out of reach.
 */
export function eraseOlderHost(path: string, point: Uint8Array): void {
  const old = openSync(path, "r+");
  try {
    const json = JSON.parse(readFileSync(old, "utf8")) as { olderHosts?: string[] };
    const kept = (json.olderHosts ?? []).filter(
      (secret) => !equal(publicPoint(fromHex(secret)), point),
    );
    replaceFile(path, [utf8(`${JSON.stringify({ ...json, olderHosts: kept }, undefined, 2)}\n`)]);
    const { size } = fstatSync(old);
    writeSync(old, new Uint8Array(size), 0, size, 0);
    fsyncSync(old);
  } finally {
    closeSync(old);
  }
}
