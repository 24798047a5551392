/** Checkpoints in several files. */
import { describe, expect, test } from "vitest";
import type { HostTensor, WeightSource } from "../../../src/compiler/host-tensor.ts";
import { openSharded } from "../../../src/runtime/checkpoint/sharded.ts";
import { codeOf, diagnosticOf } from "../support.ts";

const shard = (label: string, names: readonly string[]): WeightSource => ({
  label,
  names: () => names,
  info: (name) => (names.includes(name) ? { dtype: "f32", shape: [1] } : undefined),
  read: async (name): Promise<HostTensor> => ({
    dtype: "f32",
    shape: [1],
    data: Float32Array.of(label.length + name.length),
  }),
});
const files: Readonly<Record<string, WeightSource>> = {
  "1.safetensors": shard("1.safetensors", ["a", "b"]),
  "2.safetensors": shard("2.safetensors", ["c", "extra"]),
  "3.safetensors": shard("3.safetensors", ["a"]),
};
const open = (map: unknown, opened: string[] = []) =>
  openSharded(
    JSON.stringify({ metadata: {}, weight_map: map }),
    "model.safetensors.index.json",
    async (name) => {
      opened.push(name);
      const file = files[name];
      if (file === undefined) throw new Error(`no ${name}`);
      return file;
    },
  );

test("tensors come from the file that the index names, each opened once", async () => {
  const opened: string[] = [];
  const source = await open({ a: "1.safetensors", b: "1.safetensors", c: "2.safetensors" }, opened);
  expect(opened).toEqual(["1.safetensors", "2.safetensors"]);
  expect([...(await source.read("c")).data]).toEqual([14]);
  expect(source.info("d")).toBeUndefined();
  expect(await codeOf(() => source.read("d"))).toBe("checkpoint-index");
});

test("what the files hold besides is named too", async () => {
  const source = await open({ a: "1.safetensors", c: "2.safetensors" });
  expect(source.names()).toEqual(["a", "c", "b", "extra"]);
});

describe("refused", () => {
  test("a tensor that is not where the index says, or in two places", async () => {
    expect(await codeOf(() => open({ z: "1.safetensors" }))).toBe("checkpoint-index");
    expect(await codeOf(() => open({ a: "1.safetensors", c: "2.safetensors", b: "3.safetensors" }))).toBe(
      "checkpoint-index",
    );
    const twice = await diagnosticOf(() =>
      openSharded(JSON.stringify({ weight_map: { a: "1.safetensors", q: "4" } }), "index", async (name) =>
        name === "4" ? shard("4", ["q", "a"]) : shard(name, ["a"]),
      ),
    );
    expect(twice.message).toContain("'a' lies in 4 too");
  });

  test.each([["../1.safetensors"], ["/etc/passwd"], ["a\\b"], [".."], [""], [3], ["a\0b"]])(
    "the file %j, which is none beside the index",
    async (file) => {
      expect(await codeOf(() => open({ a: file }))).toBe("checkpoint-index");
    },
  );

  test.each([[undefined], [[]], [{}], ["x"]])("a weight_map that is %j", async (map) => {
    expect(await codeOf(() => open(map))).toBe("checkpoint-index");
  });

  test("what is no JSON", async () => {
    expect(await codeOf(() => openSharded("{", "index", async () => shard("", [])))).toBe("checkpoint-index");
  });
});
