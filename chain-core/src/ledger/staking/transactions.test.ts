// The staking actions as people send them: planned by a wallet, signed (EIP-712), in real blocks.
import type { Bytes32 } from "@causeway/primitives";
import { isRejected, must, utf8 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import type { Action } from "../../codec/action.ts";
import { kinds } from "../../codec/action.ts";
import {
  claimCodec,
  delegateCodec,
  redelegateCodec,
  registerCodec,
  undelegateCodec,
  withdrawCodec,
} from "../../codec/stake.ts";
import { transactionCodec } from "../../codec/transaction.ts";
import type { Coin, Planned } from "../../wallet/plan.ts";
import { planTransaction } from "../../wallet/plan.ts";
import { economyOf } from "../economy.ts";
import { epochOf } from "../epoch/epochs.ts";
import type { TestChain } from "../epoch/testing.ts";
import { extend, testChain, tryBlock } from "../epoch/testing.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import { signTransaction } from "../sign.ts";
import type { Table } from "../state.ts";
import { testGenesis, testLock, testSecret } from "../testing.ts";
import { outputs } from "../utxo/outputs.ts";
import { stakeView } from "./stake-rules.ts";
import { testKeys } from "./testing.ts";

const coin = 1_00000000n;
const genesis = testGenesis(4, { seats: 4, epochMs: 10_000, unbondingMs: 15_000 });
const alice = testLock("alice");
const [ann, bea] = genesis.validators.map(({ owner }) => owner) as [Bytes32, Bytes32, ...Bytes32[]];
const profile = { name: utf8("Alice"), site: utf8(""), commission: 500 };

/** Every unspent output of a lock. */
function coinsOf({ state }: TestChain, lock: Uint8Array): Coin[] {
  const any: Table<{ txid: Uint8Array; index: number }, Coin["output"]> = outputs;
  const prefix = any.key({ txid: alice, index: 0 }).slice(0, 2);
  return [...state.entries()]
    .filter(({ key }) => key[0] === prefix[0] && key[1] === prefix[1])
    .map(({ key, value }) => ({
      id: { txid: key.slice(2, 34), index: Buffer.from(key.slice(34)).readUInt32BE() },
      output: any.codec.decode(value),
    }))
    .filter(({ output }) => Buffer.from(output.lock).equals(lock));
}

function plan(chain: TestChain, ...others: Action[]): Planned {
  const planned = planTransaction(genesis, coinsOf(chain, alice), {
    payments: [],
    others,
    change: alice,
    expires: chain.time + 10_000,
  });
  if (isRejected(planned)) throw new Error(planned.message);
  return planned;
}

function signed(planned: Planned, by: string = "alice"): Uint8Array {
  const tx = signTransaction(planned.unsigned, [testSecret(by), testSecret("alice")]);
  if (isRejected(tx)) throw new Error(tx.message);
  return transactionCodec.encode(tx);
}

function send(chain: TestChain, ...others: Action[]): Planned {
  const planned = plan(chain, ...others);
  extend(chain, { transactions: [signed(planned)] });
  return planned;
}

const held = (chain: TestChain): bigint =>
  coinsOf(chain, alice).reduce((sum, { output }) => sum + output.amount, 0n);
const staked = (chain: TestChain, validator: Uint8Array): bigint => {
  const { state, time } = chain;
  return stakeView({ state, time, params: genesis.params }, { validator, delegator: alice }).value;
};
const delegate = (amount: bigint): Action => ({
  kind: kinds.delegate,
  body: delegateCodec.encode({ delegator: alice, validator: ann, amount }),
});
const undelegate = (amount: bigint): Action => ({
  kind: kinds.undelegate,
  body: undelegateCodec.encode({ delegator: alice, validator: ann, amount }),
});
const claim = (validator: Uint8Array): Action => ({
  kind: kinds.claim,
  body: claimCodec.encode({ delegator: alice, validator, isDelegated: false }),
});
const codeOf = (chain: TestChain, bytes: Uint8Array): string | undefined => {
  const result = tryBlock(chain, { transactions: [bytes] });
  return isRejected(result) ? result.code : undefined;
};

describe("a person's stake, in blocks", () => {
  test("goes out of the coins, moves, comes back after its delay, and earns", () => {
    const chain = testChain(genesis);
    const before = held(chain);
    const first = send(chain, delegate(300n * coin));
    expect(first.unsigned.message.actions.join()).toContain("Delegate 300 BTM to validator");
    expect(held(chain)).toBe(before - 300n * coin - first.fee);
    expect(staked(chain, ann)).toBe(300n * coin);

    const body = { delegator: alice, from: ann, to: bea, amount: 100n * coin };
    send(chain, { kind: kinds.redelegate, body: redelegateCodec.encode(body) });
    send(chain, undelegate(150n * coin));
    expect([staked(chain, ann), staked(chain, bea)]).toEqual([50n * coin, 100n * coin]);

    extend(chain, { stepMs: 10_000 });
    expect(epochOf(chain.state).number).toBe(1);
    const rich = held(chain);
    const { fee } = send(chain, claim(ann), claim(bea));
    expect(held(chain)).toBeGreaterThan(rich - fee);

    const withdraw: Action = {
      kind: kinds.withdraw,
      body: withdrawCodec.encode({ delegator: alice, validator: ann, epoch: 0 }),
    };
    expect(codeOf(chain, signed(plan(chain, withdraw)))).toBe("unbonding");
    extend(chain, { stepMs: 10_000 });
    extend(chain, { stepMs: 15_000 });
    const poor = held(chain);
    const twice = plan(chain, withdraw, withdraw);
    expect(codeOf(chain, signed(twice))).toBe("unknown-exit");
    const last = send(chain, withdraw);
    expect(held(chain)).toBe(poor + 150n * coin - last.fee);
    expect(economyOf(chain.state).unbonding).toBe(0n);
  });

  test("needs the delegator's signature, and coins for all that it stakes", () => {
    const chain = testChain(genesis);
    const tooMuch = planTransaction(genesis, coinsOf(chain, alice), {
      payments: [],
      others: [delegate(1_000n * coin)],
      change: alice,
      expires: chain.time + 10_000,
    });
    expect(tooMuch).toMatchObject({ code: "insufficient-funds" });
    send(chain, delegate(10n * coin));
    // Bob spends coins of his own to undelegate what is hers.
    const theft = planTransaction(genesis, coinsOf(chain, testLock("bob")), {
      payments: [],
      others: [undelegate(10n * coin)],
      change: testLock("bob"),
      expires: chain.time + 10_000,
    });
    if (isRejected(theft)) throw new Error(theft.message);
    const tx = signTransaction(theft.unsigned, [testSecret("bob")]);
    expect(tx).toMatchObject({ code: "missing-secret" });
    const full = transactionCodec.decode(signed(theft, "bob"));
    expect(full.witnesses.length).toBe(2);
    const [ofBob] = full.witnesses;
    const forged = { ...full, witnesses: [must(ofBob, "witness"), must(ofBob, "witness")] };
    expect(codeOf(chain, transactionCodec.encode(forged))).toBeDefined();
    expect(staked(chain, ann)).toBe(10n * coin);
  });

  test("makes a validator of a person", () => {
    const chain = testChain(genesis);
    const { keys, proofs } = testKeys(genesis, alice, "alice's");
    const register = { owner: alice, profile, keys, proofs, stake: 200n * coin };
    const before = held(chain);
    const { fee, unsigned } = send(chain, {
      kind: kinds.register,
      body: registerCodec.encode(register),
    });
    expect(unsigned.message.actions.join()).toContain('as validator "Alice" with 200 BTM');
    expect(held(chain)).toBe(before - 200n * coin - fee);
    expect(validators.get(chain.state, alice)?.status).toBe(validatorStatus.active);
    expect(staked(chain, alice)).toBe(200n * coin);
  });
});
