import { bytes32, isRejected, must } from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import { describe, expect, it } from "vitest";
import type { Certificate, Committee, Header, Vote } from "./codec/block.ts";
import { blockId, committeeCodec, committeeId, voteDigest, voteKinds } from "./codec/block.ts";
import { certificateOf } from "./consensus/certificate.ts";
import { testCommittee, testSecret } from "./consensus/testing.ts";
import { modules } from "./ledger/state.ts";
import { testGenesis } from "./ledger/testing.ts";
import { emptyTree, prove, root, update } from "./ledger/tree.ts";
import type { Trusted } from "./light.ts";
import { advance, trustCheckpoint, trustGenesis, verifyRecords } from "./light.ts";

const genesis = testGenesis(4);
const network = genesis.networkId;
const bls = testBls();
const committee: Committee = testCommittee(bls, 4);
const other: Committee = { ...testCommittee(bls, 7), epoch: 1 };
const third: Committee = { ...testCommittee(bls, 5), epoch: 2 };
const key = Uint8Array.of(modules.interchain, 1, 7);
const tree = update(emptyTree, [{ key, value: Uint8Array.of(1, 2, 3) }]);
const first = trustGenesis(genesis);
const start: Trusted = { ...first, committee, nextCommittee: committee };

function block(height: number, by: Committee, next: Committee): Header {
  return {
    ...first.header,
    height,
    time: first.header.time + height,
    stateRoot: root(tree),
    committee: committeeId(network, by),
    nextCommittee: committeeId(network, next),
  };
}

function certify(header: Header, seats: number[], by: Committee): Certificate {
  const content = {
    kind: voteKinds.precommit,
    height: header.height,
    round: 0,
    polRound: 0,
    block: blockId(network, header),
  };
  const votes = seats.map((seat): Vote => {
    const signature = bls.sign(testSecret(seat), voteDigest(network, content));
    return { ...content, seat, signature };
  });
  return certificateOf(bls, by.members.length, votes);
}

function follow(
  trusted: Trusted,
  header: Header,
  seats: number[],
  by: Committee,
  bytes?: Uint8Array,
) {
  const certificate = certify(header, seats, by);
  return advance(network, bls, trusted, {
    header,
    certificate,
    ...(bytes && { committee: bytes }),
  });
}

function trusted(result: ReturnType<typeof advance>): Trusted {
  if (isRejected(result)) throw new Error(result.message);
  return result;
}

describe("a light client", () => {
  it("starts at the genesis and skips heights forward under one committee (CON-6)", () => {
    const at9 = trusted(follow(start, block(9, committee, committee), [0, 1, 3], committee));
    expect(at9.height).toBe(9);
    const back = follow(at9, block(8, committee, committee), [0, 1, 3], committee);
    expect(back).toMatchObject({ code: "not-forward" });
    expect(follow(at9, block(9, committee, committee), [0], committee)).toBe(at9);
  });

  it("believes no header without a quorum, nor a certificate of another block", () => {
    const header = block(9, committee, committee);
    expect(follow(start, header, [0, 1], committee)).toMatchObject({ code: "no-quorum" });
    const certificate = certify(block(10, committee, committee), [0, 1, 2], committee);
    const mixed = advance(network, bls, start, { header, certificate });
    expect(mixed).toMatchObject({ code: "wrong-block" });
    const forged = { ...certify(header, [0, 1, 2], committee), bitmap: Uint8Array.of(0b1011) };
    expect(advance(network, bls, start, { header, certificate: forged })).toMatchObject({
      code: "bad-signature",
    });
  });

  it("follows the committee from epoch to epoch, and jumps over none", () => {
    const bytes = committeeCodec.encode(other);
    const last = block(20, committee, other);
    const change = follow(start, last, [0, 1, 2], committee, committeeCodec.encode(third));
    expect(change).toMatchObject({ code: "bad-committee" });
    const at20 = trusted(follow(start, last, [0, 1, 2], committee, bytes));
    const at30 = trusted(follow(at20, block(30, other, other), [0, 1, 2, 3, 4], other));
    expect(at30.committee.members.length).toBe(7);
    const stranger = follow(start, block(30, other, other), [0, 1, 2, 3, 4], other);
    expect(stranger).toMatchObject({ code: "unknown-committee" });
    const blind = trusted(follow(start, last, [0, 1, 2], committee));
    expect(blind.nextCommittee).toBeUndefined();
    expect(follow(blind, block(30, other, other), [0, 1, 2, 3, 4], other)).toMatchObject({
      code: "unknown-committee",
    });
  });

  it("believes a record, or its absence, only with a proof under the trusted root (CON-8)", () => {
    const at9 = trusted(follow(start, block(9, committee, committee), [0, 1, 2], committee));
    const proof = prove(tree, key);
    const absent = Uint8Array.of(modules.interchain, 1, 8);
    const good = [
      { key, value: Uint8Array.of(1, 2, 3), proof },
      { key: absent, proof: prove(tree, absent) },
    ];
    expect(verifyRecords(at9, good)).toBeUndefined();
    const lies = [
      { key, value: Uint8Array.of(1, 2, 4), proof },
      { key, proof },
      { key: absent, value: Uint8Array.of(1), proof: prove(tree, absent) },
    ];
    for (const lie of lies) expect(verifyRecords(at9, [lie])).toMatchObject({ code: "bad-proof" });
    expect(verifyRecords(first, good.slice(0, 1))).toMatchObject({ code: "bad-proof" });
  });

  it("follows no rules that it does not have, once a quorum does (GOV-1)", () => {
    const header = { ...block(9, committee, committee), version: 2 };
    expect(follow(start, header, [0, 1], committee)).toMatchObject({ code: "no-quorum" });
    const refused = follow(start, header, [0, 1, 2], committee);
    expect(refused).toMatchObject({ code: "upgrade-needed" });
    expect(isRejected(refused) && refused.message).toMatch(/version 2.*up to 1.*install a newer/);
    const certificate = certify(header, [0, 1, 2], committee);
    const updated = advance(network, bls, start, { header, certificate }, 2);
    expect(trusted(updated).height).toBe(9);
  });

  it("starts at a checkpoint only with the committee that its header names", () => {
    const header = block(9, committee, committee);
    expect(trustCheckpoint(network, header, other)).toMatchObject({ code: "bad-committee" });
    const point = trusted(trustCheckpoint(network, header, committee));
    expect(point.id).toEqual(bytes32(blockId(network, header)));
    expect(must(point.nextCommittee, "next").epoch).toBe(0);
  });
});
