import { segment } from "../../api/client.ts";

/** Of a path's configuration in the API. */
export function pathAddress(name: string): string {
	return `/v1/paths/${segment(name)}`;
}

/** Of a path's form in the console. */
export function configurationOf(name: string): string {
	return `/paths/${name}?tab=configuration`;
}
