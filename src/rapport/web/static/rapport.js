/* The desk's own script. Filled in by parts below; every page works without it, slower. */
"use strict";
