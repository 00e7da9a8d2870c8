/** The bucket: segments, timelines, configuration, events. Nothing in it is public; viewers come through the functions. */
export const bucket = new sst.aws.Bucket("Bucket", {
	// Players fetch presigned segment URLs from other origins.
	cors: { allowOrigins: ["*"], allowMethods: ["GET", "HEAD"], exposeHeaders: ["Content-Range", "ETag"] },
});
