// A small network for tests: everything derived from seat numbers, so that a failure can be repeated.
import type { Bls, Bytes32, NetworkId } from "@causeway/primitives";
import { bigEndian, bytes32, fromHex, H, sha256, utf8, zero32 } from "@causeway/primitives";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import blst from "@chainsafe/blst";
import { devnetParams } from "../params/devnet.ts";
import { lockOfAddress } from "./assets.ts";
import type { Genesis, GenesisValidator, Params } from "./genesis.ts";
import { bitcoinGenesisHashes } from "./genesis-check.ts";
import type { GenesisBody } from "./genesis-file.ts";
import { encodeGenesisBody } from "./genesis-file.ts";
import type { KeyRole } from "./possession.ts";
import { keyRoleNames, keyRoles } from "./possession.ts";

/** blst behind the port, without the care of the real adapter. */
export const testBls: Bls = {
  publicKey: (secret) => blst.SecretKey.fromBytes(secret).toPublicKey().toBytes(),
  sign: (secret, message) => blst.SecretKey.fromBytes(secret).sign(message).toBytes(),
  verify: (publicKey, message, signature) => {
    try {
      const key = blst.PublicKey.fromBytes(publicKey, true);
      return blst.verify(message, key, blst.Signature.fromBytes(signature, true), true, true);
    } catch {
      return false;
    }
  },
  aggregate: (signatures) =>
    blst
      .aggregateSignatures(signatures.map((signature) => blst.Signature.fromBytes(signature)))
      .toBytes(),
  verifyAggregate: (publicKeys, message, signature) => {
    try {
      const keys = publicKeys.map((key) => blst.PublicKey.fromBytes(key, true));
      return blst.fastAggregateVerify(
        message,
        keys,
        blst.Signature.fromBytes(signature, true),
        true,
      );
    } catch {
      return false;
    }
  },
};

/** Secret of 32 bytes named by `what`. Its first byte is below both curves' orders. */
export function testSecret(what: string): Bytes32 {
  const secret = sha256(utf8(`causeway test secret ${what}`));
  secret[0] = 1;
  return secret;
}

/** The secret of a validator's key. */
export function validatorSecret(seat: number, role: KeyRole | "owner"): Bytes32 {
  return testSecret(`validator ${seat} ${role}`);
}

/** The lock of a user by name, whose secret is `testSecret(name)`. */
export function testLock(name: string): Bytes32 {
  return lockOfAddress(addressOf(publicPoint(testSecret(name))));
}

function testValidator(seat: number): GenesisValidator {
  const owner = lockOfAddress(addressOf(publicPoint(validatorSecret(seat, "owner"))));
  const keys = Object.fromEntries(
    keyRoleNames.map((role) => {
      const secret = validatorSecret(seat, role);
      const { scheme } = keyRoles[role];
      return [role, scheme === "bls" ? testBls.publicKey(secret) : publicPoint(secret)];
    }),
  ) as { readonly [Role in KeyRole]: Uint8Array };
  return { owner, stake: 1_000_000_00000000n, ...keys };
}

/** Block 0 of regtest, as every Bitcoin node has it. */
export const regtestHeader: Uint8Array = fromHex(
  `01000000${"00".repeat(32)}3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a` +
    "dae5494dffff7f2002000000",
);

/** Users with BTM in the genesis: {@link testLock} of each name. */
export const testUsers: readonly string[] = ["alice", "bob", "carol"];
const evmChain = bytes32(bigEndian(31_337, 32));

/** `size` validators of equal stake, Bitcoin regtest, one EVM chain, BBTC, users with 1,000 BTM each. */
export function testGenesisBody(size: number, params: Partial<Params> = {}): GenesisBody {
  const address = (what: string): Uint8Array => addressOf(publicPoint(testSecret(what)));
  return {
    name: "test",
    time: 1_800_000_000_000,
    params: { ...devnetParams, ...params },
    validators: Array.from({ length: size }, (_, seat) => testValidator(seat)),
    guardians: {
      keys: Array.from({ length: 5 }, (_, i) => publicPoint(testSecret(`guardian ${i}`))),
      threshold: 3,
    },
    migration: { root: zero32, rows: 0, total: 0n },
    foundation: {
      keys: ["foundation 0", "foundation 1", "foundation 2"].map(address),
      threshold: 2,
      vestingEpochs: 4,
    },
    bitcoin: {
      kind: "bitcoin",
      chain: bytes32(bitcoinGenesisHashes.regtest),
      network: "regtest",
      checkpoint: { height: 0, header: regtestHeader, periodStart: 1_296_688_602 },
    },
    evm: [
      {
        kind: "evm",
        chain: evmChain,
        chainId: 31_337n,
        gateway: address("gateway contract"),
        templateHash: sha256(utf8("template")),
      },
    ],
    assets: [
      {
        symbol: "BBTC",
        decimals: 8,
        chain: bytes32(bitcoinGenesisHashes.regtest),
        token: new Uint8Array(20),
        exports: [{ chain: evmChain, token: address("token contract") }],
        price: { btm: 1n, units: 1n },
      },
    ],
    balances: testUsers.map((name) => ({ lock: testLock(name), amount: 1_000_00000000n })),
  };
}

/** `change`: what else differs, as its assets. */
export function testGenesis(
  size: number,
  params: Partial<Params> = {},
  change: Partial<GenesisBody> = {},
): Genesis {
  const body = { ...testGenesisBody(size, params), ...change };
  return { networkId: sha256(encodeGenesisBody(body)) as Uint8Array as NetworkId, ...body };
}

/** Any 32 bytes, different for each number. */
export function testHash(network: NetworkId, number: number): Bytes32 {
  return H("test", network, bigEndian(number, 4));
}
