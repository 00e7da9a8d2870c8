/** Whom tokens are for with which the console draws small pictures of streams: who shows one does not watch. */
export const THUMBNAIL_SUBJECT = "console-thumbnails";
