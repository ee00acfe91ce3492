// Assets of users: nobody issues another's, none beyond its cap, none that looks like the ledger's own (ACC-3).
import { isRejected, keyOf, utf8 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Action, IssuedDefinition, Output } from "../../codec/action.ts";
import {
  burnCodec,
  createCodec,
  issueCodec,
  kinds,
  retireCodec,
  spendCodec,
} from "../../codec/action.ts";
import { transactionCodec } from "../../codec/transaction.ts";
import { assetId, btm } from "../assets.ts";
import { blockContext } from "../context.ts";
import { ledgerEnv } from "../env.ts";
import { executeTransaction } from "../execute.ts";
import { genesisState } from "../genesis-state.ts";
import type { MemoryState } from "../memory-state.ts";
import { memoryState } from "../memory-state.ts";
import { signTransaction, unsignedTransaction } from "../sign.ts";
import { testBls, testGenesis, testHash, testLock, testSecret } from "../testing.ts";
import { addOutput } from "../utxo/outputs.ts";
import { checkDefinition, circulating, issuedAssetId, issuedAssets } from "./issued.ts";

const genesis = testGenesis(1);
const env = ledgerEnv(genesis, testBls);
const initial = genesisState(genesis);
const own = btm(genesis);
const [alice, bob] = [testLock("alice"), testLock("bob")];

const gold: IssuedDefinition = {
  symbol: utf8("GOLD"),
  name: utf8("Gold in a vault"),
  decimals: 3,
  issuer: bob,
  cap: 10_000n,
  isReissuable: true,
};
const idOf = (definition: IssuedDefinition): Uint8Array =>
  issuedAssetId(genesis.networkId, definition);

let serial = 0;

/**
 * A transaction of alice that pays the fee, takes `holds` of alice's in and gives `creates` out besides; the code of
 * what is refused.
 */
function run(
  state: MemoryState,
  actions: readonly Action[],
  {
    holds = [],
    creates = [],
    by = ["alice", "bob"],
  }: {
    readonly holds?: readonly (readonly [Uint8Array, bigint])[];
    readonly creates?: readonly (readonly [Uint8Array, bigint])[];
    readonly by?: readonly string[];
  } = {},
): string | undefined {
  serial += 1;
  const txid = testHash(genesis.networkId, serial);
  const output = ([asset, amount]: readonly [Uint8Array, bigint]): Output => ({
    asset,
    amount,
    lock: alice,
  });
  const spent = ([[own, 1_000_000n], ...holds] as const).map(output);
  for (const [index, one] of spent.entries()) addOutput(state, { txid, index }, one);
  const inputs = spent.map((_, index) => ({ txid, index }));
  const all: Action[] = [{ kind: kinds.spend, body: spendCodec.encode({ inputs }) }];
  if (creates.length > 0)
    all.push({ kind: kinds.create, body: createCodec.encode({ outputs: creates.map(output) }) });
  const unsigned = unsignedTransaction(genesis, [...all, ...actions], spent, genesis.time + 2_000);
  const tx = signTransaction(unsigned, by.map(testSecret));
  const bytes = isRejected(tx)
    ? transactionCodec.encode({ ...unsigned.tx, witnesses: [new Uint8Array(65)] })
    : transactionCodec.encode(tx);
  const context = blockContext(env, state, { height: 1, time: genesis.time + 1_000 });
  const result = executeTransaction(env, context, bytes);
  return isRejected(result) ? result.code : undefined;
}

const issue = (definition: IssuedDefinition, amount: bigint): Action => ({
  kind: kinds.issue,
  body: issueCodec.encode({ definition, amount }),
});
const retire = (asset: Uint8Array, amount: bigint): Action => ({
  kind: kinds.retire,
  body: retireCodec.encode({ asset, amount }),
});

describe("an issue", () => {
  test("needs the issuer's signature, and all of it goes somewhere", () => {
    const state = memoryState(initial);
    const creates = [[idOf(gold), 7n]] as const;
    expect(run(state, [issue(gold, 7n)], { creates, by: ["alice"] })).toBe("wrong-witness-count");
    expect(run(state, [issue(gold, 7n)])).toBe("unbalanced");
    expect(run(state, [issue(gold, 6n)], { creates })).toBe("unbalanced");
    expect(circulating(state, idOf(gold))).toBe(0n);
    expect(run(state, [issue(gold, 7n)], { creates })).toBeUndefined();
    expect(issuedAssets.get(state, idOf(gold))).toEqual({
      definition: gold,
      issued: 7n,
      retired: 0n,
    });
  });

  test("of an asset that is issued once is the only one, also within a transaction", () => {
    const state = memoryState(initial);
    const once = { ...gold, isReissuable: false };
    const creates = [[idOf(once), 2n]] as const;
    const twice = [issue(once, 1n), issue(once, 1n)];
    expect(run(state, twice, { creates })).toBe("not-reissuable");
    expect(run(state, [issue(once, 2n)], { creates })).toBeUndefined();
    expect(run(state, [issue(once, 2n)], { creates })).toBe("not-reissuable");
  });

  test("never goes beyond the cap, whatever was issued and retired before", () => {
    const step = fc.record({ isIssue: fc.boolean(), amount: fc.bigInt(1n, 6_000n) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const state = memoryState(initial);
        let there = 0n;
        for (const { isIssue, amount } of steps) {
          const held = [[idOf(gold), amount]] as const;
          const code = isIssue
            ? run(state, [issue(gold, amount)], { creates: held })
            : run(state, [retire(idOf(gold), amount)], { holds: held });
          const fits = isIssue ? there + amount <= gold.cap : amount <= there;
          expect(code === undefined).toBe(fits);
          if (fits) there += isIssue ? amount : -amount;
          expect(circulating(state, idOf(gold))).toBe(there);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("has an id that no other definition has", () => {
    const ids = [
      gold,
      { ...gold, issuer: alice },
      { ...gold, symbol: utf8("GOLDX") },
      { ...gold, name: utf8("Gold in a vaul") },
      { ...gold, decimals: 4 },
      { ...gold, cap: 0n },
      { ...gold, isReissuable: false },
    ].map((one) => keyOf(idOf(one)));
    expect(new Set(ids).size).toBe(ids.length);
    expect(issuedAssetId(testGenesis(2).networkId, gold)).not.toEqual(idOf(gold));
  });

  test("of a symbol that is, or looks like, one of the ledger's own is refused", () => {
    const codeOf = (change: Partial<IssuedDefinition>): string | undefined =>
      checkDefinition(genesis, { ...gold, ...change })?.code;
    expect(codeOf({})).toBeUndefined();
    for (const symbol of ["BTM", "BBTC", "B8TC"])
      expect(codeOf({ symbol: utf8(symbol) })).toBe("reserved-symbol");
    for (const symbol of [
      "",
      "GO",
      "gold",
      "bbtc",
      "8BTC",
      "GOLD ",
      "GÖLD",
      "ВВТС",
      "GOLDGOLDGOLD1",
    ])
      expect(codeOf({ symbol: utf8(symbol) })).toBe("bad-symbol");
    for (const name of ["", 'a "name"', "a\\name", "a\nname", "Gøld", "\u202egold"])
      expect(codeOf({ name: utf8(name) })).toBe("bad-name");
    expect(codeOf({ decimals: 37 })).toBe("bad-decimals");
    expect(codeOf({ issuer: new Uint8Array(32) })).toBe("bad-issuer");
  });
});

describe("a retirement", () => {
  test("is of assets of users alone", () => {
    const state = memoryState(initial);
    const bbtc = assetId(genesis, "BBTC") ?? own;
    for (const asset of [own, bbtc, idOf(gold)])
      expect(run(state, [retire(asset, 1n)], { holds: [[asset, 1n]] })).toBe("not-issued");
    expect(run(state, [retire(own, 0n)])).toBe("zero-amount");
  });

  test("takes what its holder brings", () => {
    const state = memoryState(initial);
    expect(run(state, [issue(gold, 9n)], { creates: [[idOf(gold), 9n]] })).toBeUndefined();
    expect(run(state, [retire(idOf(gold), 4n)])).toBe("unbalanced");
    const holds = [[idOf(gold), 9n]] as const;
    const rest = [[idOf(gold), 5n]] as const;
    expect(
      run(state, [retire(idOf(gold), 4n)], { holds, creates: rest, by: ["alice"] }),
    ).toBeUndefined();
    expect(issuedAssets.get(state, idOf(gold))).toMatchObject({ issued: 9n, retired: 4n });
  });

  test("is no way out for wrapped assets, nor is a burn one for an asset of a user", () => {
    const state = memoryState(initial);
    const body = burnCodec.encode({
      asset: idOf(gold),
      amount: 1n,
      destination: { chain: genesis.bitcoin.chain, payload: new Uint8Array(22) },
      maxFee: 1n,
      refund: alice,
    });
    const holds = [[idOf(gold), 1n]] as const;
    expect(run(state, [{ kind: kinds.burn, body }], { holds })).toBe("unknown-asset");
  });
});
