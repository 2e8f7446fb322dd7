/** The template that machines in tests are made from, unless a test is about templates. */
export const TEMPLATE = "Debian 13";
