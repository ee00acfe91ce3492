import type { Bytes32, NetworkId } from "@causeway/primitives";
import { must, utf8, zero32 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import type { Register } from "../../codec/stake.ts";
import { epochOf } from "../epoch/epochs.ts";
import { tombstone, validatorStatus, validators } from "../epoch/validators.ts";
import { testGenesis, testHash, testLock } from "../testing.ts";
import { delegations } from "./delegation.ts";
import { foundationLock } from "./foundation.ts";
import { claimRule, withdrawRule } from "./payout-rules.ts";
import { poolOf } from "./pool.ts";
import { jail } from "./punish.ts";
import { registerRule } from "./register.ts";
import { delegateRule, redelegateRule, undelegateRule } from "./stake-rules.ts";
import type { StakeWorld } from "./testing.ts";
import { act, contextOf, runEpochs, stakeWorld, testKeys } from "./testing.ts";
import { exitRule, unjailRule, updateRule } from "./validator-rules.ts";

const coin = 1_00000000n;
const genesis = testGenesis(4, { seats: 4, epochMs: 10_000, unbondingMs: 15_000, jailMs: 5_000 });
const [ann, bea] = genesis.validators.map(({ owner }) => owner) as [Bytes32, Bytes32, ...Bytes32[]];
const [alice, dora] = [testLock("alice"), testLock("dora")];
const profile = { name: utf8("Dora"), site: utf8("https://dora.example"), commission: 1_000 };
const stake = genesis.params.selfStakeMin;

function registration(change: Partial<Register> = {}, what: string = "dora"): Register {
  return { owner: dora, profile, stake, ...testKeys(genesis, dora, what), ...change };
}

function world(): StakeWorld {
  return stakeWorld(genesis);
}

const give = (to: Uint8Array, amount: bigint, delegator: Uint8Array = alice): unknown => ({
  delegator,
  validator: to,
  amount,
});

describe("delegate", () => {
  test("is refused without a validator in service, a person or an amount", () => {
    const of = world();
    expect(act(of, delegateRule, give(dora, coin))).toBe("unknown-validator");
    expect(act(of, delegateRule, give(ann, coin - 1n))).toBe("amount-too-small");
    expect(act(of, delegateRule, give(ann, coin, foundationLock(genesis)))).toBe("foundation");
    expect(act(of, delegateRule, give(ann, coin, zero32))).toBe("bad-delegator");
    tombstone(of.state, bea, { epoch: 0, height: of.height });
    expect(act(of, delegateRule, give(bea, coin))).toBe("closed-validator");
    expect(act(of, exitRule, { owner: ann })).toBe(undefined);
    expect(act(of, delegateRule, give(ann, coin))).toBe("closed-validator");
  });
});

describe("undelegate", () => {
  test("takes no more than there is, and nothing twice", () => {
    const of = world();
    expect(act(of, undelegateRule, give(ann, coin))).toBe("not-delegated");
    expect(act(of, delegateRule, give(ann, 5n * coin))).toBe(undefined);
    expect(act(of, undelegateRule, give(ann, 5n * coin + 1n))).toBe("not-delegated");
    expect(act(of, undelegateRule, give(ann, 5n * coin))).toBe(undefined);
    expect(act(of, undelegateRule, give(ann, 5n * coin))).toBe("not-delegated");
    expect(act(of, undelegateRule, give(ann, 0n))).toBe("not-delegated");
    expect(delegations.get(of.state, { validator: ann, delegator: alice })).toBe(undefined);
  });

  test("pays out when the delay after the last fixed committee is over, and once (STK-2)", () => {
    const of = world();
    act(of, delegateRule, give(ann, 5n * coin));
    act(of, undelegateRule, give(ann, 5n * coin));
    const exit = { delegator: alice, validator: ann, epoch: 0 };
    expect(act(of, withdrawRule, { ...exit, delegator: dora })).toBe("unknown-exit");
    expect(act(of, withdrawRule, { ...exit, epoch: 1 })).toBe("unknown-exit");
    // The validator sits in epoch 1 too: the delay begins at its end.
    runEpochs(of, 2);
    expect(act(of, withdrawRule, exit)).toBe("unbonding");
    of.time = genesis.time + 2 * 10_000 + 15_000 - 2;
    expect(act(of, withdrawRule, exit)).toBe("unbonding");
    expect(act(of, withdrawRule, exit)).toBe(undefined);
    expect(act(of, withdrawRule, exit)).toBe("unknown-exit");
  });
});

describe("redelegate", () => {
  test("binds what moved until its delay is over, and nothing else (STK-2)", () => {
    const of = world();
    const move = { delegator: alice, from: ann, to: bea, amount: 3n * coin };
    expect(act(of, redelegateRule, move)).toBe("not-delegated");
    act(of, delegateRule, give(ann, 3n * coin));
    act(of, delegateRule, give(bea, 2n * coin));
    expect(act(of, redelegateRule, { ...move, to: ann })).toBe("same-validator");
    expect(act(of, redelegateRule, { ...move, to: dora })).toBe("unknown-validator");
    expect(act(of, redelegateRule, move)).toBe(undefined);
    expect(act(of, redelegateRule, { ...move, from: bea, to: ann })).toBe("locked");
    expect(act(of, undelegateRule, give(bea, 2n * coin + 1n))).toBe("locked");
    expect(act(of, undelegateRule, give(bea, 2n * coin))).toBe(undefined);
    expect(act(of, undelegateRule, give(bea, 0n))).toBe("locked");
    runEpochs(of, 3);
    expect(act(of, undelegateRule, give(bea, 3n * coin))).toBe("locked");
    of.time = genesis.time + 2 * 10_000 + 15_000 - 1;
    expect(act(of, redelegateRule, { ...move, from: bea, to: ann })).toBe(undefined);
    expect(delegations.get(of.state, { validator: bea, delegator: alice })?.shares ?? 0n).toBe(0n);
  });
});

describe("claim", () => {
  test("is refused where nothing has accrued, or to a validator out of service", () => {
    const of = world();
    const claim = { delegator: alice, validator: ann, isDelegated: false };
    expect(act(of, claimRule, claim)).toBe("no-rewards");
    act(of, delegateRule, give(ann, 1_000n * coin));
    of.time += 5_000;
    expect(act(of, exitRule, { owner: ann })).toBe(undefined);
    expect(act(of, claimRule, { ...claim, isDelegated: true })).toBe("closed-validator");
    expect(act(of, claimRule, claim)).toBe(undefined);
    expect(act(of, claimRule, claim)).toBe("no-rewards");
  });
});

describe("register (STK-1)", () => {
  test("needs a proof by every key for this owner, network and role", () => {
    const of = world();
    const good = registration();
    for (const role of Object.keys(good.keys) as (keyof typeof good.keys)[]) {
      const bytes = good.proofs[role].with(5, must(good.proofs[role][5], "byte") ^ 1);
      const proofs = { ...good.proofs, [role]: bytes };
      expect(act(of, registerRule, registration({ proofs }))).toBe("bad-proof");
    }
    // Another's proofs, for that other.
    expect(act(of, registerRule, registration(testKeys(genesis, alice, "dora")))).toBe("bad-proof");
    const elsewhere = {
      ...genesis,
      networkId: testHash(genesis.networkId, 1) as Uint8Array as NetworkId,
    };
    const foreign = testKeys(elsewhere, dora, "dora");
    expect(act(of, registerRule, registration(foreign))).toBe("bad-proof");
    const swapped = {
      ...good.keys,
      consensusKey: good.keys.attestKey,
      attestKey: good.keys.consensusKey,
    };
    expect(act(of, registerRule, registration({ keys: swapped }))).toBe("bad-proof");
    expect(act(of, registerRule, good)).toBe(undefined);
    expect(validators.get(of.state, dora)).toMatchObject({ status: validatorStatus.active });
    expect(poolOf(of.state, dora).tokens).toBe(stake);
  });

  test("takes no key that was ever registered, by anybody", () => {
    const of = world();
    const good = registration();
    const { consensusKey, nodePeerKey } = must(genesis.validators[0], "validator");
    for (const used of [{ consensusKey }, { nodePeerKey }, { hostKey: good.keys.relayKey }]) {
      const keys = { ...good.keys, ...used };
      expect(act(of, registerRule, registration({ keys }))).toBe("key-used");
    }
    expect(act(of, registerRule, good)).toBe(undefined);
    expect(act(of, registerRule, good)).toBe("already-registered");
    expect(act(of, exitRule, { owner: dora })).toBe(undefined);
    expect(act(of, registerRule, registration({}, "anew"))).toBe("already-registered");
  });

  test("is refused with too little at stake, a bad profile or an owner that stakes for nobody", () => {
    const of = world();
    expect(act(of, registerRule, registration({ stake: stake - 1n }))).toBe("stake-too-small");
    const quoted = { ...profile, name: utf8('a"b') };
    expect(act(of, registerRule, registration({ profile: quoted }))).toBe("bad-name");
    const greedy = { ...profile, commission: 10_001 };
    expect(act(of, registerRule, registration({ profile: greedy }))).toBe("bad-commission");
    expect(act(of, registerRule, registration({ owner: zero32 }))).toBe("bad-owner");
    const owner = foundationLock(genesis);
    expect(act(of, registerRule, registration({ owner }))).toBe("foundation");
  });
});

describe("update, exit, unjail", () => {
  test("new keys and profile hold two epochs later, in the committee as in the register", () => {
    const of = world();
    const keys = [testKeys(genesis, ann, "new")];
    const { consensusKey } = must(keys[0], "keys").keys;
    expect(act(of, updateRule, { owner: dora, profile, keys })).toBe("unknown-validator");
    const wrong = [testKeys(genesis, bea, "new")];
    expect(act(of, updateRule, { owner: ann, profile, keys: wrong })).toBe("bad-proof");
    expect(act(of, updateRule, { owner: ann, profile, keys })).toBe(undefined);
    expect(act(of, updateRule, { owner: ann, profile, keys: [] })).toBe("update-pending");
    expect(act(of, updateRule, { owner: bea, profile, keys: wrong })).toBe("key-used");
    for (const isNew of [false, false, true]) {
      const own = must(validators.get(of.state, ann), "validator");
      expect([...own.consensusKey].join() === [...consensusKey].join()).toBe(isNew);
      expect(own.commission).toBe(isNew ? 1_000 : 0);
      const { members } = must(contextOf(of).committee(epochOf(of.state).number), "committee");
      const isSeated = members.some(
        (one) => [...one.consensusKey].join() === [...consensusKey].join(),
      );
      expect(isSeated).toBe(isNew);
      runEpochs(of, 1);
    }
  });

  test("a jailed validator comes back when its time is over, a tombstoned or exited one never", () => {
    const of = world();
    expect(act(of, unjailRule, { owner: ann })).toBe("not-jailed");
    jail(contextOf(of), ann);
    expect(act(of, unjailRule, { owner: ann })).toBe("jailed");
    of.time += 5_000;
    expect(act(of, undelegateRule, give(ann, 0n, ann))).toBe(undefined);
    expect(act(of, unjailRule, { owner: ann })).toBe("stake-too-small");
    expect(act(of, delegateRule, give(ann, stake, ann))).toBe(undefined);
    expect(act(of, unjailRule, { owner: ann })).toBe(undefined);
    expect(act(of, exitRule, { owner: ann })).toBe(undefined);
    tombstone(of.state, bea, { epoch: 0, height: of.height });
    for (const [owner, code] of [
      [ann, "exited"],
      [bea, "tombstoned"],
    ] as const)
      for (const rule of [exitRule, unjailRule] as const)
        expect(act(of, rule, { owner })).toBe(code);
  });
});
