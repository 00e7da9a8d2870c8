/** The bucket: segments, timelines, configuration, events. Nothing in it is public; viewers come through the functions. */
export const bucket = new sst.aws.Bucket("Bucket", {
	// Players fetch presigned segment URLs from other origins.
	cors: { allowOrigins: ["*"], allowMethods: ["GET", "HEAD"], exposeHeaders: ["Content-Range", "ETag"] },
	// A bucket that is kept is not emptied either.
	transform: { bucket: { forceDestroy: $app.removal === "remove" } },
});

/** Objects go by the nodes' own retention. Parts of uploads that were never finished are seen by nobody, and paid for. */
export const lifecycle = new aws.s3.BucketLifecycleConfiguration("BucketLifecycle", {
	bucket: bucket.name,
	rules: [
		{
			id: "aborted-uploads",
			status: "Enabled",
			filter: { prefix: "" },
			abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
		},
	],
});
