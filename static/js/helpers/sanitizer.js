/**
 * DOMPurify. Its smallest build, half of the one for modules, is a script that leaves it with the page; here it becomes a module.
 */

import "../../vendor/dompurify-3.4.18/purify.min.js";

export const { DOMPurify } = globalThis;
