import { bytes32, must } from "@causeway/primitives";
import { expect, test } from "vitest";
import { kinds, migrateCodec } from "../../codec/action.ts";
import { btm } from "../assets.ts";
import { blockContext } from "../context.ts";
import { economyOf } from "../economy.ts";
import { ledgerEnv } from "../env.ts";
import { genesisState } from "../genesis-state.ts";
import { memoryState } from "../memory-state.ts";
import type { ActionContext } from "../rule.ts";
import { testBls, testGenesis, testHash, testLock } from "../testing.ts";
import { outputs } from "../utxo/outputs.ts";
import type { Row } from "./merkle.ts";
import { growTree } from "./merkle.ts";
import { isMigrated, migrateRule } from "./migrate.ts";

const rows: readonly Row[] = Array.from({ length: 600 }, (_, i) => ({
  lock: testLock(`holder ${i}`),
  amount: BigInt(i + 1),
}));
function provedRow(index: number) {
  const tree = growTree();
  for (const [i, row] of rows.entries()) tree.add(row, i === index);
  const { root, path } = tree.end();
  return { root, body: { ...must(rows[index], "row"), index, path: [...path] } };
}

const base = testGenesis(1);
const total = rows.reduce((sum, { amount }) => sum + amount, 0n);
const genesis = {
  ...base,
  migration: { root: bytes32(provedRow(0).root), rows: rows.length, total },
};

function createWorld(of = genesis) {
  const state = memoryState(genesisState(of));
  const context: ActionContext = {
    ...blockContext(ledgerEnv(of, testBls), state, { height: 1, time: of.time }),
    txid: testHash(of.networkId, 1),
    position: 0,
  };
  const act = (body: ReturnType<typeof provedRow>["body"]): string | undefined => {
    const parsed = migrateCodec.decode(migrateCodec.encode(body));
    const bad = migrateRule.validate(context, parsed);
    if (bad === undefined) migrateRule.apply(context, parsed);
    return bad?.code;
  };
  return { state, act };
}

test("a row of the snapshot is paid to its lock once, and the books say what was not brought", () => {
  const { state, act } = createWorld();
  expect(migrateRule.kind).toBe(kinds.migrate);
  expect(economyOf(state).unclaimed).toBe(total);
  const before = [...state.entries()].length;
  for (const index of [0, 127, 128, 599]) {
    const { body } = provedRow(index);
    expect(act(body)).toBeUndefined();
    expect(act(body)).toBe("already-migrated");
    expect(isMigrated(state, index)).toBe(true);
  }
  expect([1, 126, 129, 598].map((index) => isMigrated(state, index))).not.toContain(true);
  expect(economyOf(state).unclaimed).toBe(total - 1n - 128n - 129n - 600n);
  // An output each, and the marks of three groups of 128 rows.
  expect([...state.entries()].length).toBe(before + 4 + 3);
  const prefix = outputs.key({ txid: new Uint8Array(32), index: 0 });
  const paid = [...state.entries()]
    .filter(({ key }) => key[0] === prefix[0] && key[1] === prefix[1])
    .map(({ value }) => outputs.codec.decode(value));
  expect(paid).toContainEqual({ asset: btm(genesis), amount: 600n, lock: testLock("holder 599") });
});

test("another's amount, lock, place or path, and a network without a snapshot, change nothing", () => {
  const { state, act } = createWorld();
  const { body } = provedRow(7);
  const refused = [
    { ...body, amount: body.amount + 1n },
    { ...body, lock: testLock("thief") },
    { ...body, index: 8 },
    { ...body, index: 600 },
    { ...body, path: body.path.slice(1) },
    { ...body, path: [] },
  ];
  for (const one of refused) expect(act(one)).toBe("not-in-snapshot");
  expect(act({ ...body, lock: new Uint8Array(32) })).toBe("bad-lock");
  expect(economyOf(state).unclaimed).toBe(total);
  expect(createWorld(base).act(body)).toBe("no-migration");
});
