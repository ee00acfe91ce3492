// What stands at an address (ETH-3): where a contract will be deployed, what to deploy, and whether the code
// that a node reports is ours. The artifact (contracts/artifacts/*.json) is an argument: it is data.
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import {
  assert,
  bigEndian,
  bytes32,
  concat,
  equal,
  fromHex,
  isZero,
  keccak256,
  must,
  rejected,
  toHex,
  utf8,
} from "@causeway/primitives";
import { addressWord, bytesTail, selector, uintWord, wordAt } from "./abi.ts";
import type { NewKey, TokenSetting } from "./batch.ts";

/** What contracts/build.ts writes; hex without 0x. Immutables are zero in `deployedBytecode`. */
export type Artifact = {
  readonly bytecode: string;
  readonly deployedBytecode: string;
  readonly immutableReferences: Readonly<
    Record<string, readonly { readonly start: number; readonly length: number }[]>
  >;
};

/** Address (20 bytes) of the contract that `deployer` creates at its `nonce`, whatever its code. */
export function createAddress(deployer: Uint8Array, nonce: number): Uint8Array {
  assert(deployer.length === 20, "an address has 20 bytes");
  assert(Number.isSafeInteger(nonce) && nonce >= 0, "a nonce is an unsigned integer");
  const integer = fromHex(nonce === 0 ? "" : evenHex(nonce));
  const isSingle = integer.length === 1 && (integer[0] as number) < 0x80;
  const item = isSingle ? integer : concat(Uint8Array.of(0x80 + integer.length), integer);
  const list = concat(Uint8Array.of(0x80 + 20), deployer, item);
  return keccak256(concat(Uint8Array.of(0xc0 + list.length), list)).slice(12);
}

function evenHex(value: number): string {
  const digits = value.toString(16);
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}

/** Arguments of Gateway's constructor. */
export type GatewayArguments = {
  readonly network: NetworkId;
  /** Addresses of 20 bytes, in the genesis' order (BTC-1). */
  readonly guardians: readonly Uint8Array[];
  readonly guardianThreshold: number;
  /** The first activated key. */
  readonly first: NewKey;
  /** ETH and every token that it handles from the start. */
  readonly tokens: readonly TokenSetting[];
};

/** Data of the transaction that creates Gateway. */
export function gatewayInitCode(artifact: Artifact, args: GatewayArguments): Uint8Array {
  const guardians = addressList(args.guardians);
  const start = 6 * 32;
  const head = [
    args.network,
    uintWord(start),
    uintWord(args.guardianThreshold),
    uintWord(args.first.keyId),
    bytes32(args.first.key),
    uintWord(start + guardians.length),
  ];
  const tokens = args.tokens.map(({ token, status, capacity }) =>
    concat(addressWord(token), uintWord(status), uintWord(capacity)),
  );
  const tail = concat(guardians, uintWord(tokens.length), ...tokens);
  return concat(fromHex(artifact.bytecode), ...head, tail);
}

function addressList(addresses: readonly Uint8Array[]): Uint8Array {
  return concat(uintWord(addresses.length), ...addresses.map(addressWord));
}

/** Arguments of WrappedToken's constructor; `name` has at most 31 bytes. */
export type TokenArguments = {
  readonly name: string;
  readonly symbol: string;
  readonly decimals: number;
  /** Gateway's address, known before either is deployed. */
  readonly minter: Uint8Array;
};

/** Data of the transaction that creates a WrappedToken. */
export function tokenInitCode(artifact: Artifact, args: TokenArguments): Uint8Array {
  const name = bytesTail(utf8(args.name));
  const start = 4 * 32;
  const head = [
    uintWord(start),
    uintWord(start + name.length),
    uintWord(args.decimals),
    addressWord(args.minter),
  ];
  return concat(fromHex(artifact.bytecode), ...head, name, bytesTail(utf8(args.symbol)));
}

/** keccak-256 of an artifact's runtime code with its immutables zero: what the genesis names (ETH-3). */
export function templateHash(artifact: Artifact): Bytes32 {
  return keccak256(fromHex(artifact.deployedBytecode));
}

/** Runtime code with its immutables filled in, one 32-byte word each. Asserts that none is left out. */
export function runtimeCode(
  artifact: Artifact,
  immutables: Readonly<Record<string, Bytes32>>,
): Uint8Array {
  const code = fromHex(artifact.deployedBytecode);
  for (const [name, ranges] of Object.entries(artifact.immutableReferences))
    for (const { start, length } of ranges) {
      assert(length === 32, "an immutable is one word");
      code.set(must(immutables[name], `immutable ${name}`), start);
    }
  return code;
}

/** keccak256(abi.encode(threshold, guardians)), which Gateway's code holds. */
export function guardiansHash(guardians: readonly Uint8Array[], threshold: number): Bytes32 {
  return keccak256(concat(uintWord(threshold), uintWord(64), addressList(guardians)));
}

/** keccak-256 of the code that must stand at Gateway's address (ETH-3): compare with eth_getCode. */
export function gatewayCodeHash(
  artifact: Artifact,
  network: NetworkId,
  guardians: readonly Uint8Array[],
  guardianThreshold: number,
): Bytes32 {
  const words = {
    networkId: bytes32(network),
    guardiansHash: guardiansHash(guardians, guardianThreshold),
  };
  return keccak256(runtimeCode(artifact, words));
}

/** keccak-256 of the code that must stand at a WrappedToken's address. */
export function tokenCodeHash(
  artifact: Artifact,
  args: Pick<TokenArguments, "name" | "decimals">,
  chainId: bigint,
  address: Uint8Array,
): Bytes32 {
  const hashedName = keccak256(utf8(args.name));
  const hashedVersion = keccak256(utf8("1"));
  const type = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
  const domain = [hashedName, hashedVersion, uintWord(chainId), addressWord(address)];
  const words = {
    DECIMALS: uintWord(args.decimals),
    _cachedDomainSeparator: keccak256(concat(keccak256(utf8(type)), ...domain)),
    _cachedChainId: uintWord(chainId),
    _cachedThis: addressWord(address),
    _hashedName: hashedName,
    _hashedVersion: hashedVersion,
    _name: shortString(args.name),
    _version: shortString("1"),
  };
  return keccak256(runtimeCode(artifact, words));
}

/** OpenZeppelin's ShortString: up to 31 bytes, then zeros, the length in the last byte. */
function shortString(text: string): Bytes32 {
  const bytes = utf8(text);
  assert(bytes.length < 32, "a short string has at most 31 bytes");
  const padding = new Uint8Array(31 - bytes.length);
  return bytes32(concat(bytes, padding, bigEndian(bytes.length, 1)));
}

/**
 * not-deployed: no code there yet; bad-code: other code; bad-immutables: our code with immutables that differ
 * from place to place, which solc never writes.
 */
export type BadCode = Rejected<"not-deployed" | "bad-code" | "bad-immutables">;

/** Code at an address as ours, with what its constructor fixed. */
export type GatewayCode = {
  readonly codeHash: Bytes32;
  readonly network: Bytes32;
  readonly guardiansHash: Bytes32;
};

/** `code` (from eth_getCode) read as Gateway's: the artifact's in all but its immutables. */
export function parseGatewayCode(artifact: Artifact, code: Uint8Array): GatewayCode | BadCode {
  if (code.length === 0) return rejected("not-deployed", "no code at the address");
  const template = fromHex(artifact.deployedBytecode);
  if (code.length !== template.length)
    return rejected("bad-code", `code of ${code.length} bytes, expected ${template.length}`);
  const zeroed = Uint8Array.from(code);
  const words = new Map<string, Uint8Array>();
  for (const [name, ranges] of Object.entries(artifact.immutableReferences))
    for (const { start, length } of ranges) {
      const word = code.slice(start, start + length);
      const first = words.get(name) ?? word;
      if (!equal(first, word)) return rejected("bad-immutables", `${name} has two values`);
      words.set(name, first);
      zeroed.fill(0, start, start + length);
    }
  if (!equal(zeroed, template)) return rejected("bad-code", "the code is not the artifact's");
  const network = bytes32(must(words.get("networkId"), "immutable networkId"));
  const guardians = bytes32(must(words.get("guardiansHash"), "immutable guardiansHash"));
  return { codeHash: keccak256(code), network, guardiansHash: guardians };
}

/** Calldata of `key()`, to be asked by eth_call at the same block as the code (ETH-3). */
export const keyCall: Uint8Array = selector("key()");

/** The answer to {@link keyCall}: the key that is valid now. */
export function parseKey(answer: Uint8Array): NewKey | Rejected<"bad-answer"> {
  const [id, key] = [wordAt(answer, 0), wordAt(answer, 1)];
  if (id === undefined || key === undefined || answer.length !== 64 || !isZero(id.subarray(0, 28)))
    return rejected("bad-answer", "expected a key id and a key");
  return { keyId: Number.parseInt(toHex(id.subarray(28)), 16), key };
}
