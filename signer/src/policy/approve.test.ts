// What a signer refuses to sign although a final ledger planned it (DESIGN 10, rule 3).
import type {
  Coin,
  Inbound,
  Key,
  Lineage,
  Plan,
  Withdrawal,
} from "@causeway/chain-core/interchain";
import {
  accountings,
  assetId,
  coinKinds,
  coinStatus,
  coins,
  currentKeys,
  depositScript,
  directions,
  encodeTransaction,
  inboundStatus,
  inbounds,
  keys,
  lineages,
  outpoint,
  ownTransaction,
  planId,
  planKinds,
  planStatus,
  restrictions,
  transactionHash,
  vaultScript,
  withdrawalStatus,
  withdrawals,
} from "@causeway/chain-core/interchain";
import { trustGenesis } from "@causeway/chain-core/light";
import { bytes32, isRejected, must, sha256, utf8, zero32 } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { expect, test } from "vitest";
import { memoryState } from "../../../chain-core/src/ledger/memory-state.ts";
import { genesis } from "../testing.ts";
import type { Verdict } from "./approve.ts";
import { approve } from "./approve.ts";

const { chain } = genesis.bitcoin;
const asset = must(assetId(genesis, "BBTC"), "BBTC");
const nowMs = genesis.time + 1_000_000;
const point = publicPoint(sha256(utf8("ring")));
const none = new Uint8Array(0);
const vault = vaultScript(genesis, point);
const user = Uint8Array.from([0, 20, ...sha256(utf8("user")).slice(0, 20)]);
const withdrawalId = sha256(utf8("withdrawal"));
const inboundId = sha256(utf8("inbound"));

const key: Key = {
  keyId: 1,
  attempt: 0,
  term: 0,
  heldBy: 0,
  chain,
  groupPoint: point,
  threshold: 3,
  seats: [],
  shares: [],
  active: true,
  canary: new Uint8Array(64),
  activatedAt: 0,
};

/** A plan and the records that it rests on, right unless a test changes them. */
type Scene = {
  plan: Plan;
  coin: Coin;
  lineage: Lineage;
  withdrawal: Withdrawal;
  inbound: Inbound;
  key: Key;
  halted: boolean;
  deficit?: bigint;
  headerMs: number;
  paused?: { readonly chain: Uint8Array; readonly direction: number; readonly until: number };
};

type Shape = {
  readonly kind: number;
  readonly outputs: readonly { readonly amount: bigint; readonly script: Uint8Array }[];
  readonly amount: bigint;
};

function scene(shape: Shape): Scene {
  const { kind, outputs, amount } = shape;
  const isSweep = kind === planKinds.sweep;
  const destination = { chain: bytes32(genesis.networkId), payload: new Uint8Array(32).fill(1) };
  const terms = { version: 1, destination, maxFee: 5_000n, refund: point.slice(1) };
  const deposit = depositScript(genesis, { ...terms, keyPoint: point });
  if (isRejected(deposit)) throw new Error(deposit.message);
  const { script, merkleRoot } = isSweep ? deposit : vault;
  const input = { txid: sha256(utf8("coin")), vout: 1, amount, script, merkleRoot };
  const transaction = ownTransaction([input], outputs);
  const subject = encodeTransaction(transaction);
  const anchor = outpoint(input.txid, input.vout);
  const id = planId(genesis.networkId, kind, subject);
  const fee = amount - outputs.reduce((sum, output) => sum + output.amount, 0n);
  const plan: Plan = {
    kind,
    keyId: 1,
    chain,
    asset,
    subject,
    inputs: [input],
    withdrawals: isSweep ? [] : [withdrawalId],
    anchor,
    attempt: 0,
    nonce: 0,
    fee,
    txid: transactionHash(transaction),
    status: planStatus.planned,
    signatures: [],
    plannedAt: nowMs,
    updatedAt: nowMs,
  };
  const coin: Coin = {
    txid: input.txid,
    vout: 1,
    amount,
    keyId: 1,
    kind: isSweep ? coinKinds.deposit : coinKinds.vault,
    status: coinStatus.bound,
    counted: true,
    blockHash: zero32,
    height: 1,
    origin: inboundId,
    lineage: anchor,
  };
  return {
    plan,
    coin,
    lineage: { anchor, keyId: 1, kind, plans: [id], ended: false },
    withdrawal: withdrawalOf(id),
    inbound: inboundOf(terms, amount),
    key,
    halted: false,
    headerMs: nowMs - 1_000,
  };
}

function withdrawalOf(plan: Uint8Array): Withdrawal {
  return {
    source: zero32,
    asset,
    amount: 60_000n,
    destination: { chain, payload: user },
    maxFee: 2_000n,
    refund: zero32,
    status: withdrawalStatus.planned,
    reason: 0,
    plan,
    fee: 1_000n,
    ringFee: 0n,
    createdAt: 0,
    updatedAt: 0,
  };
}

function inboundOf(
  terms: Pick<Inbound, "destination" | "maxFee" | "refund">,
  amount: bigint,
): Inbound {
  return {
    chain,
    asset,
    amount,
    destination: terms.destination,
    maxFee: terms.maxFee,
    refund: terms.refund,
    keyId: 1,
    txid: sha256(utf8("coin")),
    index: 1,
    coinbase: false,
    candidates: [],
    status: inboundStatus.minted,
    reason: 0,
    credited: 0n,
    fee: 0n,
    statedAt: 0,
    updatedAt: 0,
    withdrawal: zero32,
  };
}

const payment = (): Scene =>
  scene({
    kind: planKinds.withdrawal,
    amount: 100_000n,
    outputs: [
      { amount: 59_000n, script: user },
      { amount: 40_600n, script: vault.script },
    ],
  });
const sweep = (outputs = [{ amount: 99_700n, script: vault.script }]): Scene =>
  scene({ kind: planKinds.sweep, amount: 100_000n, outputs });

function judge(of: Scene): Verdict {
  const view = memoryState();
  keys.put(view, 1, of.key);
  currentKeys.put(view, chain, { keyId: 1 });
  const zeros = { coins: 0n, supply: 0n, exported: 0n, pending: 0n };
  const { halted, deficit = 0n } = of;
  accountings.put(view, asset, {
    ...zeros,
    deficit,
    reserve: 0n,
    rewards: 0n,
    unswept: 0n,
    halted,
  });
  if (of.paused !== undefined) {
    const pause = { ...of.paused, sequence: 1, open: true };
    restrictions.put(view, "only", { slowUntil: 0, slowOpen: false, pauses: [pause] });
  }
  lineages.put(view, of.plan.anchor.length > 0 ? of.plan.anchor : none, of.lineage);
  coins.put(view, outpoint(of.coin.txid, of.coin.vout), of.coin);
  withdrawals.put(view, withdrawalId, of.withdrawal);
  inbounds.put(view, inboundId, of.inbound);
  const id = planId(genesis.networkId, of.plan.kind, of.plan.subject);
  const { committee } = trustGenesis(genesis);
  const ledger = { view, headerMs: of.headerMs, height: 9, committee };
  return approve(genesis, ledger, id, of.plan, of.key, nowMs);
}

const codeOf = (of: Scene): string => {
  const verdict = judge(of);
  return verdict.kind === "approved" ? "approved" : verdict.code;
};

test("a right payment and a right sweep are approved", () => {
  expect(codeOf(payment())).toBe("approved");
  expect(codeOf(sweep())).toBe("approved");
});

test("not yet: stale finality, an inactive key, a halted asset, a plan that is signed", () => {
  const of = payment();
  const stale = { ...of, headerMs: nowMs - genesis.params.finalityAgeMaxMs - 1 };
  const inactive = { ...of, key: { ...key, active: false } };
  const signed = { ...of, plan: { ...of.plan, status: planStatus.signed } };
  const all = [stale, inactive, { ...of, halted: true }, signed].map(judge);
  expect(all.map(({ kind }) => kind)).toEqual(["not-yet", "not-yet", "not-yet", "not-yet"]);
  expect(all.map((verdict) => "code" in verdict && verdict.code)).toEqual([
    "stale-finality",
    "key-inactive",
    "asset-halted",
    "not-planned",
  ]);
});

test("not yet: a payment of an asset that lacks backing (WIT-4)", () => {
  expect(codeOf({ ...payment(), deficit: 1n })).toBe("asset-halted");
  expect(codeOf({ ...sweep(), deficit: 1n })).toBe("approved");
});

test("no halt stops a sweep (GOV-2)", () => {
  expect(codeOf({ ...sweep(), halted: true })).toBe("approved");
});

test("not yet: a payment to a paused chain; no pause stops a sweep (RNG-6, GOV-2)", () => {
  const { out } = directions;
  const of = { ...payment(), paused: { chain, direction: out, until: nowMs } };
  expect(codeOf(of)).toBe("paused");
  expect(judge(of).kind).toBe("not-yet");
  // The header's time counts, not the own clock.
  expect(codeOf({ ...of, headerMs: nowMs })).toBe("approved");
  expect(codeOf({ ...of, paused: { ...of.paused, direction: directions.in } })).toBe("approved");
  expect(codeOf({ ...of, paused: { ...of.paused, chain: zero32 } })).toBe("approved");
  expect(codeOf({ ...sweep(), paused: of.paused })).toBe("approved");
});

test("a lineage that ended, or has another plan as this attempt, is refused (BTC-3)", () => {
  const of = payment();
  expect(codeOf({ ...of, lineage: { ...of.lineage, ended: true } })).toBe("wrong-lineage");
  expect(codeOf({ ...of, lineage: { ...of.lineage, plans: [zero32] } })).toBe("wrong-lineage");
  expect(codeOf({ ...of, lineage: { ...of.lineage, keyId: 2 } })).toBe("wrong-lineage");
  const kind = planKinds.sweep;
  expect(codeOf({ ...of, lineage: { ...of.lineage, kind } })).toBe("wrong-lineage");
});

test("a coin of another lineage, key, kind or amount is refused", () => {
  const of = payment();
  for (const change of [{ lineage: none }, { keyId: 2 }, { kind: 1 }, { amount: 1n }])
    expect(codeOf({ ...of, coin: { ...of.coin, ...change } })).toBe("wrong-coin");
});

test("a script that is not derived from the deposit's own terms is refused (BTC-1)", () => {
  const of = sweep();
  expect(codeOf({ ...of, inbound: { ...of.inbound, maxFee: 1n } })).toBe("wrong-script");
});

test("a withdrawal bound elsewhere, or paid another amount, is refused", () => {
  const of = payment();
  const wrong = (change: Partial<Withdrawal>): string =>
    codeOf({ ...of, withdrawal: { ...of.withdrawal, ...change } });
  expect(wrong({ plan: zero32 })).toBe("wrong-withdrawal");
  expect(wrong({ asset: zero32 })).toBe("wrong-withdrawal");
  expect(wrong({ fee: 2_001n })).toBe("wrong-withdrawal");
  expect(wrong({ fee: 999n })).toBe("wrong-output");
  expect(wrong({ destination: { chain, payload: vault.script } })).toBe("wrong-output");
});

test("a sweep pays the vault only", () => {
  const outputs = [
    { amount: 90_000n, script: vault.script },
    { amount: 9_700n, script: user },
  ];
  expect(codeOf(sweep(outputs))).toBe("wrong-output");
});

test("a fee above what sizes alone allow is refused (BTC-5)", () => {
  const withFee = (fee: bigint): Scene =>
    scene({
      kind: planKinds.sweep,
      amount: 2_000_000n,
      outputs: [{ amount: 2_000_000n - fee, script: vault.script }],
    });
  // 1,000 sat x (111 vB + 1,000) + 111.
  expect(codeOf(withFee(1_111_111n))).toBe("approved");
  expect(codeOf(withFee(1_111_112n))).toBe("fee-too-high");
  const of = payment();
  expect(codeOf({ ...of, plan: { ...of.plan, fee: 1n } })).toBe("wrong-fee");
});

test("a transaction with another version, input or id is refused", () => {
  const of = payment();
  const version = of.plan.subject.with(0, 2);
  expect(codeOf({ ...of, plan: { ...of.plan, subject: version } })).toBe("bad-transaction");
  const [input] = of.plan.inputs;
  const inputs = [{ ...must(input, "input"), vout: 2 }];
  expect(codeOf({ ...of, plan: { ...of.plan, inputs } })).toBe("bad-transaction");
  expect(codeOf({ ...of, plan: { ...of.plan, txid: zero32 } })).toBe("bad-transaction");
});

test("an unknown kind of plan is refused", () => {
  const of = payment();
  expect(codeOf({ ...of, plan: { ...of.plan, kind: 9 } })).toBe("bad-plan");
});
