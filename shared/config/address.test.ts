import { expect, it } from "vitest";
import { parseAddress } from "./address.ts";

it.each([
	[":8554", { host: "", port: 8554 }],
	["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
	["localhost:80", { host: "localhost", port: 80 }],
	["[::1]:8554", { host: "::1", port: 8554 }],
	["8554", null],
	["::1:8554", null],
	["host:", null],
	["host:65536", null],
	["host:123456", null],
])("reads the address %s", (text, address) => expect(parseAddress(text)).toEqual(address));
