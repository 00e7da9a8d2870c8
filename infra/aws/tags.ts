/** The tags of all that is made, for bills and for finding it. */
export const tags = { app: $app.name, stage: $app.stage };
