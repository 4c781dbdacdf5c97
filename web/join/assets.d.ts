declare module "*.css?url" {
  /** Address of the built file. */
  const href: string;
  export default href;
}
