/** Where on Earth a region is: for the map, so to the degree is enough. */

export type Place = { readonly latitude: number; readonly longitude: number };

/** Regions of AWS by their codes, the location hints of R2, and the words that people use for continents. */
const PLACES: Readonly<Record<string, readonly [latitude: number, longitude: number]>> = {
	"us-east-1": [38.9, -77.4],
	"us-east-2": [40.0, -83.0],
	"us-west-1": [37.4, -122.0],
	"us-west-2": [45.8, -119.7],
	"us-gov-east-1": [40.0, -83.0],
	"us-gov-west-1": [45.8, -119.7],
	"ca-central-1": [45.5, -73.6],
	"ca-west-1": [51.0, -114.1],
	"mx-central-1": [20.6, -100.4],
	"sa-east-1": [-23.5, -46.6],
	"eu-west-1": [53.3, -6.3],
	"eu-west-2": [51.5, -0.1],
	"eu-west-3": [48.9, 2.4],
	"eu-central-1": [50.1, 8.7],
	"eu-central-2": [47.4, 8.5],
	"eu-north-1": [59.3, 18.1],
	"eu-south-1": [45.5, 9.2],
	"eu-south-2": [41.6, -0.9],
	"eusc-de-east-1": [52.4, 13.1],
	"il-central-1": [32.1, 34.8],
	"me-south-1": [26.1, 50.6],
	"me-central-1": [24.5, 54.4],
	"af-south-1": [-33.9, 18.4],
	"ap-south-1": [19.1, 72.9],
	"ap-south-2": [17.4, 78.5],
	"ap-east-1": [22.3, 114.2],
	"ap-east-2": [25.0, 121.5],
	"ap-southeast-1": [1.4, 103.8],
	"ap-southeast-2": [-33.9, 151.2],
	"ap-southeast-3": [-6.2, 106.8],
	"ap-southeast-4": [-37.8, 145.0],
	"ap-southeast-5": [3.1, 101.7],
	"ap-southeast-6": [-36.8, 174.8],
	"ap-southeast-7": [13.8, 100.5],
	"ap-northeast-1": [35.7, 139.7],
	"ap-northeast-2": [37.6, 127.0],
	"ap-northeast-3": [34.7, 135.5],
	"cn-north-1": [39.9, 116.4],
	"cn-northwest-1": [37.5, 105.2],
	wnam: [37.8, -122.3],
	enam: [39.0, -77.5],
	weur: [50.9, 4.4],
	eeur: [52.2, 21.0],
	apac: [1.4, 103.8],
	oc: [-33.9, 151.2],
	eu: [50.1, 8.7],
	europe: [50.1, 8.7],
	us: [39.1, -94.6],
	asia: [1.4, 103.8],
	africa: [-1.3, 36.8],
	oceania: [-33.9, 151.2],
};

/** What a person can choose from; any other name is as good, but for the map. */
export const KNOWN_REGIONS: readonly string[] = Object.keys(PLACES);

/** `null`: nobody knows where that is. Upper and lower case are the same. */
export function placeOf(region: string): Place | null {
	const name = region.toLowerCase();
	const found = Object.hasOwn(PLACES, name) ? PLACES[name] : undefined;
	return found === undefined ? null : { latitude: found[0], longitude: found[1] };
}
