// For tests and benchmarks only: final headers signed by seats whose secrets are known.
import type { Bls, NetworkId } from "@causeway/primitives";
import { zero32 } from "@causeway/primitives";
import type { Certificate, Committee, Header } from "../codec/block.ts";
import {
  blockId,
  certificateCodec,
  committeeCodec,
  committeeId,
  headerCodec,
  voteDigest,
  voteKinds,
} from "../codec/block.ts";
import { certificateOf } from "../consensus/certificate.ts";
import { genesisHeader } from "../consensus/header.ts";
import type { Trusted } from "../light.ts";
import type { Finality } from "./message.ts";

/** One committee for all epochs; its ids differ by epoch. */
export type TestSeats = {
  readonly network: NetworkId;
  readonly bls: Bls;
  readonly committee: Committee;
  readonly secret: (seat: number) => Uint8Array;
};

export function certify(
  { network, bls, committee, secret }: TestSeats,
  header: Header,
): Certificate {
  const content = {
    kind: voteKinds.precommit,
    height: header.height,
    round: 0,
    block: blockId(network, header),
    polRound: 0,
  };
  const digest = voteDigest(network, content);
  const votes = committee.members.map((_, seat) => ({
    ...content,
    seat,
    signature: bls.sign(secret(seat), digest),
  }));
  return certificateOf(bls, committee.members.length, votes);
}

/** A header of `epoch` that is as good as any; `given` wins. */
export function testHeader(
  { network, committee }: TestSeats,
  epoch: number,
  given: Partial<Header>,
): Header {
  const id = (of: number): Uint8Array => committeeId(network, { ...committee, epoch: of });
  return {
    ...genesisHeader(network, 0, committee),
    snapshotRoot: zero32,
    committee: id(epoch),
    nextCommittee: id(epoch + 1),
    ...given,
  };
}

/** As a node keeps it for the last header of `epoch`. */
export function testFinality(seats: TestSeats, epoch: number, header: Header): Finality {
  return {
    header: headerCodec.encode(header),
    certificate: certificateCodec.encode(certify(seats, header)),
    committee: committeeCodec.encode({ ...seats.committee, epoch: epoch + 1 }),
  };
}

/** Height 0. */
export function testStart({ network, committee }: TestSeats, time: number): Trusted {
  const header = genesisHeader(network, time, committee);
  return {
    height: 0,
    id: blockId(network, header),
    header,
    committee,
    nextCommittee: { ...committee, epoch: 1 },
  };
}
