import { isRejected, must } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import type { Vote } from "../codec/block.ts";
import { proposalDigest, voteDigest, voteKinds } from "../codec/block.ts";
import { evidenceCodec } from "../codec/evidence.ts";
import type { Evidence } from "../consensus/vote-set.ts";
import { addVote, voteSet } from "../consensus/vote-set.ts";
import { votersOf } from "../consensus/voters.ts";
import { blockContext } from "../ledger/context.ts";
import { committeeOfHeight } from "../ledger/epoch/epochs.ts";
import { evidenceRule } from "../ledger/epoch/evidence.ts";
import { extend, testChain } from "../ledger/epoch/testing.ts";
import { tombstone } from "../ledger/epoch/validators.ts";
import { overlay } from "../ledger/overlay.ts";
import { testBls, testGenesis, testHash, validatorSecret } from "../ledger/testing.ts";
import { openEvidence } from "./evidence.ts";

const genesis = testGenesis(4, { unbondingMs: 1_000, epochMs: 1_000 });
const { networkId } = genesis;

function vote(seat: number, kind: number, round: number, number: number): Vote {
  const block = testHash(networkId, number);
  const content = { kind, height: 2, round, block, polRound: 0 };
  const secret = validatorSecret(seat, "consensusKey");
  return { ...content, seat, signature: testBls.sign(secret, voteDigest(networkId, content)) };
}

function doubleProposal(seat: number): Evidence {
  const said = (number: number) => {
    const block = testHash(networkId, number);
    const digest = proposalDigest(networkId, { height: 2, round: 1, block, polRound: 0 });
    const secret = validatorSecret(seat, "consensusKey");
    return { block, polRound: 0, signature: testBls.sign(secret, digest) };
  };
  return { kind: "double-proposal", height: 2, round: 1, seat, first: said(1), second: said(2) };
}

describe("evidence of a node", () => {
  const chain = testChain(genesis);
  for (let i = 0; i < 2; i++) extend(chain);
  const voters = votersOf(networkId, committeeOfHeight(chain.state, 2));
  const set = voteSet(networkId, testBls, voters, 2);
  const { prevote, precommit } = voteKinds;
  for (const each of [
    vote(0, prevote, 0, 1),
    vote(0, prevote, 0, 2),
    vote(0, precommit, 1, 1),
    vote(0, precommit, 1, 2),
    vote(1, precommit, 0, 1),
    vote(1, prevote, 3, 2),
    vote(2, prevote, 0, 1),
  ])
    addVote(set, each, 3, () => false);
  const all = [...set.evidence, doubleProposal(3)];

  test("is what the ledger's rule accepts, once for each offender", () => {
    const bodies = openEvidence(chain.state, all).map((bytes) => evidenceCodec.decode(bytes));
    expect(bodies.map(({ seat }) => seat)).toEqual([0, 1, 3]);
    for (const body of bodies) {
      const block = blockContext(chain.env, overlay(chain.state), {
        height: 3,
        time: chain.time + 1,
      });
      const context = { ...block, txid: testHash(networkId, 9), position: 0 };
      expect(evidenceRule.validate(context, body)).toBeUndefined();
    }
  });

  test("is not given when the offender is convicted or the epoch is forgotten", () => {
    const state = overlay(chain.state);
    tombstone(state, must(genesis.validators[1], "validator").owner, { epoch: 0, height: 3 });
    const seats = openEvidence(state, all).map((bytes) => {
      const body = evidenceCodec.parse(bytes);
      return isRejected(body) ? undefined : body.seat;
    });
    expect(seats).toEqual([0, 3]);
    for (let i = 0; i < 12; i++) extend(chain);
    expect(openEvidence(chain.state, all)).toEqual([]);
  });
});
