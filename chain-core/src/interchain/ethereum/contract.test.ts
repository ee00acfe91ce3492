import { readFileSync } from "node:fs";
import type { NetworkId } from "@causeway/primitives";
import { fromHex, isRejected, keccak256, sha256, toHex, utf8 } from "@causeway/primitives";
import { publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import { ContractFactory, getCreateAddress, Interface } from "ethers";
import { describe, expect, test } from "vitest";
import type { Artifact, GatewayArguments } from "./contract.ts";
import * as contract from "./contract.ts";
import { approveCall, burnCall, depositCall } from "./transfer.ts";

function artifactOf(name: string): Artifact & { abi: never[] } {
  const file = new URL(`../../../../contracts/artifacts/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"));
}

const gateway = artifactOf("Gateway");
const token = artifactOf("WrappedToken");
const hex = (bytes: Uint8Array): string => `0x${toHex(bytes)}`;
const address = (byte: number): Uint8Array => new Uint8Array(20).fill(byte);
const network = sha256(utf8("a network")) as unknown as NetworkId;
const args: GatewayArguments = {
  network,
  guardians: [1, 2, 3, 4, 5].map(address),
  guardianThreshold: 3,
  first: { keyId: 2, key: xOnly(publicPoint(sha256(utf8("key")))) },
  tokens: [
    { token: address(0), status: 1, capacity: 10n ** 20n },
    { token: address(9), status: 2, capacity: 10n ** 9n },
  ],
};

describe("addresses", () => {
  test("a CREATE address is ethers' for small and large nonces (ETH-3)", () => {
    for (const nonce of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 40]) {
      const expected = getCreateAddress({ from: hex(address(7)), nonce }).toLowerCase();
      expect(hex(contract.createAddress(address(7), nonce))).toBe(expected);
    }
  });
});

describe("deployment", () => {
  test("the init code of Gateway is ethers'", async () => {
    const tokens = args.tokens.map((one) => [hex(one.token), one.status, one.capacity]);
    const factory = new ContractFactory(gateway.abi, gateway.bytecode);
    const { data } = await factory.getDeployTransaction(
      network,
      args.guardians.map(hex),
      args.guardianThreshold,
      args.first.keyId,
      args.first.key,
      tokens,
    );
    expect(hex(contract.gatewayInitCode(gateway, args))).toBe(data);
  });

  test("the init code of WrappedToken is ethers'", async () => {
    const factory = new ContractFactory(token.abi, token.bytecode);
    const { data } = await factory.getDeployTransaction("Bitcoin", "BBTC", 8, hex(address(1)));
    const bbtc = { name: "Bitcoin", symbol: "BBTC", decimals: 8, minter: address(1) };
    expect(hex(contract.tokenInitCode(token, bbtc))).toBe(data);
  });
});

describe("code at an address", () => {
  const hash = contract.guardiansHash(args.guardians, 3);
  const code = contract.runtimeCode(gateway, {
    networkId: network as never,
    guardiansHash: hash,
  });
  const codeOf = (bytes: Uint8Array): string => {
    const answer = contract.parseGatewayCode(gateway, bytes);
    return isRejected(answer) ? answer.code : "ok";
  };

  test("our code is read with what its constructor fixed", () => {
    expect(contract.parseGatewayCode(gateway, code)).toEqual({
      codeHash: contract.gatewayCodeHash(gateway, network, args.guardians, 3),
      network,
      guardiansHash: hash,
    });
    expect(contract.templateHash(gateway)).toEqual(keccak256(fromHex(gateway.deployedBytecode)));
  });

  test("code that differs anywhere is refused", () => {
    expect(codeOf(new Uint8Array(0))).toBe("not-deployed");
    expect(codeOf(code.subarray(1))).toBe("bad-code");
    const changed = Uint8Array.from(code);
    changed[10] = (changed[10] as number) ^ 1;
    expect(codeOf(changed)).toBe("bad-code");
    const start = gateway.immutableReferences.networkId?.[0]?.start as number;
    const split = Uint8Array.from(code);
    split[start] = (split[start] as number) ^ 1;
    expect(codeOf(split)).toBe("bad-immutables");
  });

  test("other guardians or another network have another hash", () => {
    const ours = contract.gatewayCodeHash(gateway, network, args.guardians, 3);
    const turned = [...args.guardians].reverse();
    const other = sha256(utf8("another")) as unknown as NetworkId;
    expect(contract.gatewayCodeHash(gateway, network, turned, 3)).not.toEqual(ours);
    expect(contract.gatewayCodeHash(gateway, network, args.guardians, 2)).not.toEqual(ours);
    expect(contract.gatewayCodeHash(gateway, other, args.guardians, 3)).not.toEqual(ours);
  });

  test("the key is read from its answer", () => {
    const abi = new Interface(gateway.abi);
    const { key } = args.first;
    expect(hex(contract.keyCall)).toBe(abi.encodeFunctionData("key"));
    const answer = fromHex(abi.encodeFunctionResult("key", [0xffff_fffe, key]));
    expect(contract.parseKey(answer)).toEqual({ keyId: 0xffff_fffe, key });
    expect(isRejected(contract.parseKey(answer.subarray(1)))).toBe(true);
    expect(isRejected(contract.parseKey(new Uint8Array(0)))).toBe(true);
    expect(isRejected(contract.parseKey(new Uint8Array(64).fill(1)))).toBe(true);
  });
});

describe("calls of users", () => {
  const abi = new Interface(gateway.abi);
  const destination = { chain: network, payload: Uint8Array.of(1, 2, 3) };
  const send = { token: address(9), amount: 5n, destination, maxFee: 2n };
  const values = [hex(address(9)), 5n, [network, destination.payload], 2n];

  test("deposit, burn and approve are what ethers makes of the ABI", () => {
    expect(hex(depositCall(send))).toBe(abi.encodeFunctionData("deposit", values));
    expect(hex(burnCall(send))).toBe(abi.encodeFunctionData("burn", values));
    const erc20 = new Interface(token.abi);
    const expected = erc20.encodeFunctionData("approve", [hex(address(3)), 7n]);
    expect(hex(approveCall(address(3), 7n))).toBe(expected);
  });
});
