// Users know several endpoints and go on with the next when one is silent.
import type { Transport } from "@causeway/primitives";
import { Failure, RpcError } from "@causeway/primitives";
import { expect, test } from "vitest";
import { nodeClient } from "../client.ts";
import { fallbackTransport } from "./fallback.ts";

const silent: Transport = async () => {
  throw new Failure("timeout", "no answer");
};

test("a silent endpoint is passed over, and the one that answered is asked first from then on", async () => {
  const asked: string[] = [];
  const named =
    (name: string, call: Transport): Transport =>
    (...request) => {
      asked.push(name);
      return call(...request);
    };
  const good: Transport = async (method) => method;
  const call = fallbackTransport([named("a", silent), named("b", good), named("c", good)]);
  expect([await call("x", []), await call("y", [])]).toEqual(["x", "y"]);
  expect(asked).toEqual(["a", "b", "b"]);
});

test("a refusal is an answer: nobody else is asked", async () => {
  const refusing: Transport = async () => {
    throw new RpcError("rpc-error", -32000, "1 is below 2", { code: "fee-too-low" });
  };
  const never: Transport = async () => expect.unreachable();
  const client = nodeClient(fallbackTransport([refusing, never]));
  expect(await client.submit(new Uint8Array(3))).toMatchObject({
    code: "fee-too-low",
    message: "1 is below 2",
  });
});

test("a busy endpoint is passed over; when all are silent the last failure is thrown", async () => {
  const busy: Transport = async () => {
    throw new RpcError("rpc-error", -32002, "busy", { code: "busy" });
  };
  await expect(fallbackTransport([busy, silent])("x", [])).rejects.toMatchObject({
    code: "timeout",
  });
  await expect(fallbackTransport([])("x", [])).rejects.toMatchObject({ code: "unreachable" });
});

test("an answer of the wrong shape is the node's failure", async () => {
  for (const answer of [null, 7, { height: -1 }, { height: 1.5 }, { height: "1" }])
    await expect(nodeClient(async () => answer).waitForHeight(1, 1)).rejects.toMatchObject({
      code: "bad-response",
    });
  await expect(
    nodeClient(async () => ({ values: [] })).records([new Uint8Array(2)]),
  ).rejects.toMatchObject({
    code: "bad-response",
  });
});
