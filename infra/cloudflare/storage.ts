/** The bucket, by the name that the Worker knows it by. R2 buckets are private, and give unfinished uploads up after a week. */
export const bucket = new sst.cloudflare.Bucket("BUCKET");
