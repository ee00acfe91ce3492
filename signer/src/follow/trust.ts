// What the light client believes: the newest block that a quorum of its committee made final, forward only
// (CON-6), and the records under that block's state root (CON-8). All bytes here come from outside.
import type { Genesis, Header } from "@causeway/chain-core/interchain";
import { certificateCodec, headerCodec } from "@causeway/chain-core/interchain";
import type { Trusted } from "@causeway/chain-core/light";
import {
  advance as advanceLight,
  recordProofCodec,
  trustCheckpoint,
  trustGenesis,
  verifyRecords,
} from "@causeway/chain-core/light";
import type { Bls, Rejected } from "@causeway/primitives";
import { isRejected, rejected } from "@causeway/primitives";
import type { Finality, ProvedRecord } from "../world.ts";

export type { Trusted } from "@causeway/chain-core/light";

export function startOf(genesis: Genesis): Trusted {
  return trustGenesis(genesis);
}

/** The newer final block, or the same one again, or why not (LightCode, "bad-bytes"). */
export function advance(
  genesis: Genesis,
  bls: Bls,
  trusted: Trusted,
  finality: Finality,
): Trusted | Rejected {
  const header = headerCodec.parse(finality.header);
  if (isRejected(header)) return header;
  const certificate = certificateCodec.parse(finality.certificate);
  if (isRejected(certificate)) return certificate;
  const update = { header, certificate, committee: finality.committee };
  return advanceLight(genesis.networkId, bls, trusted, update);
}

/** Undefined when the state root of the trusted block proves the record, or its absence. */
export function badProof(trusted: Trusted, record: ProvedRecord): Rejected | undefined {
  if (record.proof.length === 0) return rejected("missing-proof", "the own node gave no proof");
  const proof = recordProofCodec.parse(record.proof);
  if (isRejected(proof)) return rejected("bad-proof", proof.message);
  const { key, value } = record;
  return verifyRecords(trusted, [{ key, proof, ...(value === undefined ? {} : { value }) }]);
}

/**
 * Takes up a point that an earlier process trusted, from its own journal, as soon as the committee that it names is
 * known: that name is the committee's hash, so that it does not matter by whom it came.
 */
export function raised(genesis: Genesis, trusted: Trusted, point: Header): Trusted {
  if (point.height <= trusted.height) return trusted;
  const known = [trusted.committee, trusted.nextCommittee].filter((one) => one !== undefined);
  for (const committee of known) {
    const at = trustCheckpoint(genesis.networkId, point, committee);
    if (!isRejected(at)) return at;
  }
  return trusted;
}
