// Two ledgers for the simulated nodes. The tiny one of the tests, with committees that change by height and seats that
// are barred; and the real one with transfers, whose state has more to agree on. Both have parameters that decide more
// heights in less simulated time.
import type { Bls, NetworkId, Put, Rejected } from "@causeway/primitives";
import {
  bigEndian,
  concat,
  equal,
  fromBigEndian,
  H,
  isRejected,
  must,
  rejected,
  sha256,
  utf8,
} from "@causeway/primitives";
import type { Block, Committee } from "../../chain-core/src/codec/block.ts";
import { votesRoot } from "../../chain-core/src/codec/block.ts";
import { verifyCertificate } from "../../chain-core/src/consensus/certificate.ts";
import { proposerOf } from "../../chain-core/src/consensus/proposer.ts";
import { votersOf } from "../../chain-core/src/consensus/voters.ts";
import { btm } from "../../chain-core/src/ledger/assets.ts";
import type { Genesis, Params } from "../../chain-core/src/ledger/genesis.ts";
import { memoryState } from "../../chain-core/src/ledger/memory-state.ts";
import type { StateReader } from "../../chain-core/src/ledger/state.ts";
import { modules } from "../../chain-core/src/ledger/state.ts";
import {
  testGenesis,
  testLock,
  testSecret,
  testUsers,
} from "../../chain-core/src/ledger/testing.ts";
import { update } from "../../chain-core/src/ledger/tree.ts";
import { bindLedger } from "../../chain-core/src/node/ledger.ts";
import type { LedgerPort } from "../../chain-core/src/node/port.ts";
import { testLedger, testTransaction } from "../../chain-core/src/node/testing.ts";
import { devnetParams } from "../../chain-core/src/params/devnet.ts";
import "../sim/remember.ts";
import type { Wallet } from "../sim/wallet.ts";
import { pay } from "../sim/wallet.ts";
import type { Plan } from "./plan.ts";
import { toleranceMs } from "./plan.ts";

/** A ledger, and what the simulation knows of it without asking a node. */
export type Chain = {
  readonly network: NetworkId;
  readonly genesis: Genesis;
  readonly port: LedgerPort;
  /** Who decides a height, 1 or more. */
  readonly committeeAt: (height: number) => Committee;
  /** Bytes of a user's transaction; the `serial`-th, at a time of the simulation. */
  readonly transaction: (serial: number, nowMs: number) => Uint8Array;
};

const faster = { heartbeatMs: 1_200, blockIntervalMs: 400, clockToleranceMs: toleranceMs };
const expiresMs = 300_000;

/** The consensus secret of a peer; its first byte keeps it below the curve's order. */
export function secretOf(peer: number): Uint8Array {
  const secret = sha256(concat(utf8("byzantine simulation"), bigEndian(peer, 2)));
  secret[0] = 1;
  return secret;
}

function epochOf(plan: Plan, height: number): number {
  return Math.floor((height - 1) / plan.epochHeights);
}

/** The peers of a height's committee, in seat order; of no height, as liars name them, those of the first. */
export function seatsAt(plan: Plan, height: number): readonly number[] {
  const last = plan.committees.length - 1;
  return must(plan.committees[Math.min(Math.max(epochOf(plan, height), 0), last)], "committee");
}

/** Seats whose votes do not count at a height (CON-3). */
export function barredAt(plan: Plan, height: number): readonly number[] {
  return seatsAt(plan, height).flatMap((peer, seat) => {
    const from = plan.barredFrom.get(peer);
    return from !== undefined && height >= from ? [seat] : [];
  });
}

/** The peer that proposes. */
export function proposerAt(plan: Plan, height: number, round: number): number {
  const barred = barredAt(plan, height);
  const eligible = seatsAt(plan, height).filter((_, seat) => !barred.includes(seat));
  return must(eligible[proposerOf(eligible.length, height, round)], "proposer");
}

// ---------------------------------------------------------------- the tiny ledger

const heightKey = Uint8Array.of(modules.system, 2);

export function tinyChain(plan: Plan, bls: Bls, startMs: number): Chain {
  const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
  const params: Params = { ...devnetParams, ...faster };
  const committeeAt = (height: number): Committee => ({
    epoch: epochOf(plan, height),
    members: seatsAt(plan, height).map((peer) => ({
      validator: sha256(bigEndian(peer, 2)),
      consensusKey: bls.publicKey(secretOf(peer)),
      attestKey: bls.publicKey(secretOf(peer)),
      power: must(plan.powers[peer], "power"),
    })),
  });
  const inner = testLedger(network, committeeAt(1));
  const port: LedgerPort = {
    ...inner,
    frame: (reader) => {
      const height = heightIn(reader) + 1;
      const committee = committeeAt(height);
      const next = plan.epochHeights * (committee.epoch + 1) + 1;
      return {
        ...inner.frame(reader),
        params,
        epoch: committee.epoch,
        committee,
        nextCommittee: { ...committeeAt(next), epoch: committee.epoch + 1 },
        barred: barredAt(plan, height),
      };
    },
    apply: (reader, tree, block) => {
      const bad = checkVotes(network, bls, committeeAt, plan, block);
      if (bad !== undefined) return bad;
      const applied = inner.apply(reader, tree, block);
      if (isRejected(applied)) return applied;
      const put: Put = { key: heightKey, value: bigEndian(block.header.height, 4) };
      return { ...applied, puts: [...applied.puts, put], tree: update(applied.tree, [put]) };
    },
  };
  const bitcoin = { chain: sha256(new Uint8Array(2)) };
  const genesis = { networkId: network, time: startMs, params, bitcoin } as unknown as Genesis;
  const transaction = (serial: number, nowMs: number): Uint8Array =>
    testTransaction({ spends: sha256(bigEndian(serial, 8)), expires: nowMs + expiresMs });
  return { network, genesis, port, committeeAt, transaction };
}

function heightIn(reader: StateReader): number {
  const bytes = reader.get(heightKey);
  return bytes === undefined ? 0 : Number(fromBigEndian(bytes));
}

/** What the real ledger checks of a block's version and votes (FMT-7, CON-4). */
function checkVotes(
  network: NetworkId,
  bls: Bls,
  committeeAt: Chain["committeeAt"],
  plan: Plan,
  { header, certificate, late }: Block,
): Rejected | undefined {
  if (header.version !== 1) return rejected("bad-version", "another version");
  if (!equal(header.votesRoot, votesRoot(network, { certificate, late })))
    return rejected("bad-votes", "other votes than the header says");
  const [parent] = certificate;
  if (late.length > 0) return rejected("bad-votes", "nothing is late here");
  if (header.height === 1) return parent && rejected("bad-votes", "nothing was decided before");
  if (parent === undefined) return rejected("bad-votes", "no certificate of the parent");
  if (parent.height !== header.height - 1 || !equal(parent.block, header.parent))
    return rejected("bad-votes", "a certificate of another block");
  const barred = barredAt(plan, parent.height);
  return verifyCertificate(
    network,
    bls,
    votersOf(network, committeeAt(parent.height), barred),
    parent,
  );
}

// ---------------------------------------------------------------- the real ledger

/** By number of seats: reading and checking a genesis costs more than a seed. */
const bodies = new Map<number, Genesis>();

export function realChain(plan: Plan, bls: Bls): Chain {
  const plain = bodies.get(plan.seats) ?? testGenesis(plan.seats, faster);
  bodies.set(plan.seats, plain);
  const validators = plain.validators.map((validator, seat) => ({
    ...validator,
    consensusKey: bls.publicKey(secretOf(seat)),
    attestKey: bls.publicKey(secretOf(seat)),
  }));
  const genesis: Genesis = { ...plain, validators };
  const port = bindLedger(genesis, bls);
  const { committee } = port.frame(memoryState(port.genesis().puts));
  const wallets = testUsers.map((name, index) => walletOf(genesis, name, index));
  return {
    network: genesis.networkId,
    genesis,
    port,
    committeeAt: (height) => ({ ...committee, epoch: epochOf(plan, height) }),
    transaction: (serial, nowMs) => {
      const wallet = must(wallets[serial % wallets.length], "wallet");
      const lock = testLock(must(testUsers[(serial + 1) % testUsers.length], "user"));
      const payments = [{ asset: btm(genesis), amount: 1_000n, lock }];
      return pay(genesis, wallet, { payments, expires: nowMs + expiresMs }).bytes;
    },
  };
}

/** Balance `index` of the genesis. */
function walletOf(genesis: Genesis, name: string, index: number): Wallet {
  const lock = testLock(name);
  const { amount } = must(genesis.balances[index], "balance");
  const id = { txid: H("genesis", genesis.networkId, new Uint8Array(0)), index };
  const coins = [{ id, output: { asset: btm(genesis), amount, lock } }];
  return { name, locks: [lock], secrets: [testSecret(name)], coins };
}
