// The ledger of the simulated nodes: the tiny one of the tests, with committees that change by height and parameters
// that decide more heights in less simulated time.
import type { Bls, NetworkId, Put, Rejected } from "@causeway/primitives";
import {
  bigEndian,
  concat,
  equal,
  fromBigEndian,
  isRejected,
  must,
  rejected,
  sha256,
  utf8,
} from "@causeway/primitives";
import type { Block, Committee } from "../../chain-core/src/codec/block.ts";
import { votesRoot } from "../../chain-core/src/codec/block.ts";
import { verifyCertificate } from "../../chain-core/src/consensus/certificate.ts";
import { votersOf } from "../../chain-core/src/consensus/voters.ts";
import type { Params } from "../../chain-core/src/ledger/genesis.ts";
import type { StateReader } from "../../chain-core/src/ledger/state.ts";
import { modules } from "../../chain-core/src/ledger/state.ts";
import { update } from "../../chain-core/src/ledger/tree.ts";
import type { LedgerPort } from "../../chain-core/src/node/port.ts";
import { testLedger } from "../../chain-core/src/node/testing.ts";
import { devnetParams } from "../../chain-core/src/params/devnet.ts";
import type { Plan } from "./plan.ts";
import { toleranceMs } from "./plan.ts";

export const bftParams: Params = {
  ...devnetParams,
  heartbeatMs: 1_200,
  blockIntervalMs: 400,
  clockToleranceMs: toleranceMs,
};

const heightKey = Uint8Array.of(modules.system, 2);

/** The consensus secret of a peer; its first byte keeps it below the curve's order. */
export function secretOf(peer: number): Uint8Array {
  const secret = sha256(concat(utf8("byzantine simulation"), bigEndian(peer, 2)));
  secret[0] = 1;
  return secret;
}

/** The peers of a height's committee, in seat order. */
export function seatsAt(plan: Plan, height: number): readonly number[] {
  const epoch = Math.floor((height - 1) / plan.epochHeights);
  return must(plan.committees[Math.min(epoch, plan.committees.length - 1)], "committee");
}

/** Who decides a height; 1 is the first. */
export function committeeAt(plan: Plan, bls: Bls, height: number): Committee {
  const epoch = Math.floor((height - 1) / plan.epochHeights);
  const members = seatsAt(plan, height).map((peer) => ({
    validator: sha256(bigEndian(peer, 2)),
    consensusKey: bls.publicKey(secretOf(peer)),
    attestKey: bls.publicKey(secretOf(peer)),
    power: must(plan.powers[peer], "power"),
  }));
  return { epoch, members };
}

export function bftLedger(network: NetworkId, plan: Plan, bls: Bls): LedgerPort {
  const inner = testLedger(network, committeeAt(plan, bls, 1));
  const heightIn = (reader: StateReader): number => {
    const bytes = reader.get(heightKey);
    return bytes === undefined ? 0 : Number(fromBigEndian(bytes));
  };
  return {
    ...inner,
    frame: (reader) => {
      const height = heightIn(reader) + 1;
      const committee = committeeAt(plan, bls, height);
      const next = plan.epochHeights * (committee.epoch + 1) + 1;
      return {
        ...inner.frame(reader),
        params: bftParams,
        epoch: committee.epoch,
        committee,
        nextCommittee: { ...committeeAt(plan, bls, next), epoch: committee.epoch + 1 },
      };
    },
    apply: (reader, tree, block) => {
      const bad = checkVotes(network, plan, bls, block);
      if (bad !== undefined) return bad;
      const applied = inner.apply(reader, tree, block);
      if (isRejected(applied)) return applied;
      const put: Put = { key: heightKey, value: bigEndian(block.header.height, 4) };
      return { ...applied, puts: [...applied.puts, put], tree: update(applied.tree, [put]) };
    },
  };
}

/** What the real ledger checks of a block's votes (CON-4). */
function checkVotes(network: NetworkId, plan: Plan, bls: Bls, block: Block): Rejected | undefined {
  const { header, certificate, late } = block;
  if (header.version !== 1) return rejected("bad-version", "another version");
  if (!equal(header.votesRoot, votesRoot(network, { certificate, late })))
    return rejected("bad-votes", "other votes than the header says");
  const [parent] = certificate;
  if (header.height === 1) return parent && rejected("bad-votes", "nothing was decided before");
  if (parent === undefined) return rejected("bad-votes", "no certificate of the parent");
  if (parent.height !== header.height - 1 || !equal(parent.block, header.parent))
    return rejected("bad-votes", "a certificate of another block");
  for (const one of late)
    if (one.height < 1 || one.height >= header.height) return rejected("bad-votes", "never late");
  const voters = votersOf(network, committeeAt(plan, bls, header.height - 1));
  return verifyCertificate(network, bls, voters, parent);
}
