import path from "node:path";
import { makeRelease } from "../node/release.ts";
import { tags } from "./tags.ts";

/** Where release files are, for the CDN alone. They hold no secrets: nodes fetch them there, and check the checksum. */
export const releaseBucket = new aws.s3.Bucket("Releases", { forceDestroy: true, tags });

export const releaseAccess = new aws.s3.BucketPublicAccessBlock("ReleasesAccess", {
	bucket: releaseBucket.bucket,
	blockPublicAcls: true,
	blockPublicPolicy: true,
	ignorePublicAcls: true,
	restrictPublicBuckets: true,
});

const root = $cli.paths.root;
const made = await makeRelease(root, path.join(root, "dist"));

/** The release that nodes run: its name has its checksum, so that what a node asked for never changes. */
export const release = { ...made, key: `releases/sluice-${made.version}-${made.sha256.slice(0, 16)}.tar.gz` };

export const releaseFile = new aws.s3.BucketObject("ReleaseFile", {
	bucket: releaseBucket.bucket,
	key: release.key,
	source: new $util.asset.FileAsset(release.file),
	contentType: "application/gzip",
	cacheControl: "public, max-age=31536000, immutable",
});
