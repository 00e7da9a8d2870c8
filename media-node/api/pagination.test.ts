import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { paginate } from "./pagination.ts";

const items = Array.from({ length: 250 }, (_, i) => i);
const page = (query: string, of: readonly number[] = items) => paginate(of, new URLSearchParams(query));

describe("the pages of a list", () => {
	it("are of a hundred, and begin with 0", () => {
		expect(page("")).toEqual({ itemCount: 250, pageCount: 3, items: items.slice(0, 100) });
		expect(page("page=2").items).toEqual(items.slice(200));
	});

	it("have the size that is asked for", () => {
		expect(page("itemsPerPage=125&page=1")).toEqual({ itemCount: 250, pageCount: 2, items: items.slice(125) });
		expect(page("itemsPerPage=2147483647&page=2147483647")).toEqual({ itemCount: 250, pageCount: 1, items: [] });
	});

	it("are empty behind the last one, and none for an empty list", () => {
		expect(page("page=3")).toEqual({ itemCount: 250, pageCount: 3, items: [] });
		expect(page("", [])).toEqual({ itemCount: 0, pageCount: 0, items: [] });
	});

	it("have the usual size where a number is empty", () => {
		expect(page("itemsPerPage=&page=").items).toHaveLength(100);
	});

	it.each([
		"page=x",
		"page=-1",
		"page=1.5",
		"page=2147483648",
		"page=99999999999",
		"itemsPerPage=0",
		"itemsPerPage=+1",
	])("are refused for %s", (query) => {
		expect(() => page(query)).toThrow(InputError);
		expect(() => page(query)).toThrow(new RegExp(`^${query.split("=")[0]} must be a whole number`));
	});
});
